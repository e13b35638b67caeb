/* buf.h - a growing run of bytes that knows how big is too big.
 * Adding past the ceiling sets `refused` and changes nothing: check once, at the end. A NUL always stands behind the bytes. */
#ifndef EVMEND_BASE_BUF_H
#define EVMEND_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *p; /* NULL until the first byte */
	size_t n, cap, max;
	bool refused;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b); /* usable again afterwards, with the same ceiling */
void buf_reset(struct buf *b); /* empty, keeps the memory */
/* Room for n more bytes and the NUL; the caller writes k <= n of them and then says buf_wrote(b, k). NULL: past the ceiling. */
char *buf_room(struct buf *b, size_t n);
void buf_wrote(struct buf *b, size_t k);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_cut(struct buf *b, size_t n); /* drops the first n bytes */
const char *buf_text(const struct buf *b); /* never NULL */

#endif
