/* format_records.h - the records of tests/data/formats/records, for whoever tests a format. */
#ifndef EVMEND_TESTS_LIB_FORMAT_RECORDS_H
#define EVMEND_TESTS_LIB_FORMAT_RECORDS_H

#include "ship/view.h"

/* "finding-x" and "finding.json" are of kind finding; "hostile..." too. Calls each in the order of names; returns how many there were. The uid
 * is 32 times the record's number. */
size_t each_format_record(void (*each)(const char *name, const struct record_view *v, void *arg), void *arg);
/* A view of this text; the record has to live as long. */
void format_record_view(struct record_view *v, struct spool_record *r, int kind, const char *json, size_t n);

#endif
