/* wire_take.h - small readers and writers that the two files of the host protocol share; nobody else includes this. */
#ifndef EVMEND_HOST_WIRE_TAKE_H
#define EVMEND_HOST_WIRE_TAKE_H

#include "base/json.h"
#include "host/host.h"

int wire_word(const char *s, const char *const *words, size_t n); /* index, or -1 */
/* Text for a person: control characters become '?', what is too long is cut; missing: "". */
void wire_clean(char *to, size_t n, const struct json *j);
/* Text that is compared or sent back: must be there, fit whole, and be without control characters. */
int wire_take(char *to, size_t n, const struct json *j, const char *what, struct err *e);
enum tri wire_tri(const struct json *j); /* missing, or no boolean: unknown */
void wire_put_tri(struct json_out *o, const char *key, enum tri t); /* unknown: null */
int wire_port(uint16_t *to, const struct json *j, uint16_t otherwise, const char *what, struct err *e);
int wire_time(int64_t *to, const struct json *j, const char *what, struct err *e); /* missing: 0 */
void wire_put_thumbprint(struct json_out *o, const char *key, const uint8_t t[20]); /* all zero: null */
int wire_get_thumbprint(uint8_t to[20], const struct json *j, const char *what, struct err *e); /* missing: all zero */
void wire_put_binding(struct json_out *o, const char *key, const struct host_binding *b);
int wire_get_binding(const struct json *j, struct host_binding *b, struct err *e);

#endif
