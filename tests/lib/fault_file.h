/* fault_file.h - the files of the machine, with an n-th call that fails. */
#ifndef EVMEND_TESTS_LIB_FAULT_FILE_H
#define EVMEND_TESTS_LIB_FAULT_FILE_H

#include <stdbool.h>

#include "os/os.h"

extern const struct os_file_ops fault_file; /* os_file, but for the call that fails */

/* The n-th call of open, read, write, sync, stat, list or rename from now returns -error (a write has then written half).
 * 0: none fails. */
void fault_file_at(int n, int error); /* FAULT_DIES: the process ends there, as by SIGKILL */
#define FAULT_DIES (-1)
bool fault_file_hit(void);  /* it has happened since fault_file_at */
int fault_file_open(void);  /* descriptors opened and not closed since fault_file_at */

#endif
