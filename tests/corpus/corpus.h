/* corpus.h - what the parts of check_corpus share. */
#ifndef EVMEND_TESTS_CORPUS_CORPUS_H
#define EVMEND_TESTS_CORPUS_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "naive/naive.h"
#include "rules/ruleset.h"

struct match { /* a rule held for an event */
	char *file; /* below its folder */
	uint32_t event; /* of the file, from 0 */
	char *rule; /* id */
};

struct matches {
	struct match *at;
	size_t n, cap;
};

struct known { /* a row of known.tsv */
	char *rule, *what, *label, *reason;
	size_t seen;
};

struct corpus {
	const char *folder;
	struct ruleset *rs;
	struct matcher *m;
	struct naive *naive;
	size_t *naive_of; /* for each rule of rs, its number over there; SIZE_MAX: none */
	struct known *known;
	size_t n_known;
	/* counted */
	size_t files, events, held, differ;
	bool *ever; /* for each rule of rs: it held for some event */
	struct matches found; /* in the folder that is being read */
	bool failed;
};

/* One line of the table: what, the figure, and if it is as it must be. */
void say(struct corpus *c, bool ok, const char *what, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void must_read(const char *path, struct buf *b); /* ends the program when it cannot be read */
/* Lines of a TSV without its head, cut into their columns in place. Calls each with n columns. */
void each_row(struct buf *b, size_t columns, void *arg, void (*each)(void *arg, char **column));
struct known *known_of(struct corpus *c, const char *rule, const char *what); /* NULL: none */
void match_add(struct matches *to, const char *file, uint32_t event, const char *rule);
void matches_free(struct matches *m);
/* Every event of every .xml file of a folder and below: both evaluators, compared; matches go to c->found. */
void run_folder(struct corpus *c, const char *folder);
/* Events that are aimed at each rule, so that every rule is asked something that comes close. */
void check_aimed(struct corpus *c);
void check_reference(struct corpus *c, const char *what, const char *tsv);
void check_vectors(struct corpus *c);
void check_examples(struct corpus *c, const char *tables);

#endif
