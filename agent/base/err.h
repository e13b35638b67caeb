/* err.h - one error: what kind, and a sentence that tells a person what is wrong and what to do.
 * A value on the caller's stack; nothing is allocated. */
#ifndef EVMEND_BASE_ERR_H
#define EVMEND_BASE_ERR_H

/* The kinds are the exit codes of the program (README, "Exit codes"). */
enum err_code {
	ERR_NONE = 0,
	ERR_FINDINGS = 1, /* not an error: a scan that found something */
	ERR_RULES = 2,
	ERR_USAGE = 3, /* configuration or command line */
	ERR_IO = 4,    /* host, file, network */
	ERR_INTERNAL = 5,
	ERR_REFUSED = 6,
	ERR_ROLLED_BACK = 7,
	ERR_NEEDS_PERSON = 8,
};

struct err {
	enum err_code code;
	char text[480];
};

/* Sets *e (NULL allowed) and returns -1, so that `return err_set(...)` is one line. Control characters in the
 * formatted text are replaced by '?', so that text from a file cannot drive a terminal. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "PREFIX: " in front of the text. Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* errno (or -errno) as words, "no space left on device (28)". Points into *to. */
const char *err_os(int error, char to[static 96]);
/* Out of memory or a broken invariant: one line on stderr and the process ends; its parent restarts it. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* calloc/realloc/strdup that die. */
void *xcalloc(unsigned long n, unsigned long size);
void *xrealloc(void *p, unsigned long n, unsigned long size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, unsigned long n);

#endif
