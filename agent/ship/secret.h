/* secret.h - a token or a password, read from its file. It never stands in the configuration, a log, an error or a core. */
#ifndef EVMEND_SHIP_SECRET_H
#define EVMEND_SHIP_SECRET_H

#include "base/err.h"
#include "os/os.h"

#define SECRET_MOST 4096 /* bytes of the file */

struct secret;

/* The one line of a file, without its newline. NULL and *e when it cannot be read, everybody may read it (chmod o-r), it is no plain file,
 * empty, larger than SECRET_MOST, or holds control characters (it goes into headers). Errors name the file, never what is in it.
 * Only the process that sends reads secrets, at its start and again after each SIGHUP: they cross no channel. */
struct secret *secret_read(const struct os_file_ops *files, const char *path, struct err *e);
/* Several lines of the form "Name: value", each a header of HTTP that we do not write ourselves; empty lines and those that begin with '#' are left
 * out, the rest as above. */
struct secret *secret_headers(const struct os_file_ops *files, const char *path, struct err *e);
const char *secret_next(const struct secret *s, const char *line); /* the line behind that one, NULL: the first. NULL: there is none */
const char *secret_text(const struct secret *s); /* lives as long as s; do not copy it into memory that is not wiped */
void secret_free(struct secret *s); /* wiped first; NULL allowed */

#endif
