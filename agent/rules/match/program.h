/* program.h - the conditions of all rules of a set as one program: questions about fields (atoms), each kept once whatever the number
 * of rules that ask it, and trees over them, cheap and decisive questions first. Immutable once built. Private to rules/. */
#ifndef EVMEND_RULES_PROGRAM_H
#define EVMEND_RULES_PROGRAM_H

#include "rules/compiled.h"
#include "rules/match/needles.h"
#include "rules/match/view.h"

#define FIELD_ANY 0xffffu /* keywords: any value of the event */

enum atom_kind { ATOM_LITERAL, ATOM_SET, ATOM_VALUE, ATOM_EXISTS };

struct needle_set { /* one of several texts; values of one item */
	const struct needle *list;
	size_t n;
	const struct needles *needles;
};

struct atom {
	uint8_t kind;
	uint16_t field;
	uint16_t variant;      /* ATOM_VALUE */
	float cost, share;     /* of asking, in comparisons of a short text; of the events for which it holds, guessed */
	union {
		const struct literal *literal;
		const struct needle_set *set;
		const struct value *value;
	} of;
	const struct item *item;
};

enum step_kind { ASK_ATOM, ASK_NOT, ASK_AND, ASK_OR, ASK_SOME };

struct step {
	uint8_t kind;
	bool negated;      /* `neq`, `exists: false` */
	uint32_t at_least; /* ASK_SOME */
	uint32_t first, n; /* ASK_ATOM: first is the atom; else kids stand together */
};

struct check { /* a rule, as events of one source of its category see it */
	uint32_t rule, root;
	uint16_t variant;
	uint16_t product, service, category; /* numbers of log sets, from 1; 0: not stated */
	bool asks_id;                        /* an atom is about EventID */
};

struct program {
	struct atom *atoms;
	size_t n_atoms;
	struct step *steps;
	const struct node **from; /* of each step, for people; NULL: inside an item */
	size_t n_steps;
	struct check *checks;     /* by rule, then variant */
	size_t n_checks;
	uint32_t *first_check;    /* of each rule; n_checks for a correlation */
	const struct log_set **sets; /* number n stands at n - 1 */
	size_t n_sets;
	uint16_t event_id;        /* the field's id */
};

struct program *program_new(const struct ruleset *rs);
void program_free(struct program *p);

struct known_source {
	uint32_t epoch;
	int32_t source; /* which holds first; -1: none */
};

/* What one thread needs to run it. */
struct run {
	const struct ruleset *rs;
	const struct program *program;
	struct view view;
	uint32_t *known;   /* by atom: epoch of the view, and the answer in the lowest bit */
	struct known_source *sources; /* by number of the log set */
	uint64_t asked;    /* atoms */
};

void run_init(struct run *r, const struct ruleset *rs);
void run_free(struct run *r);
void run_begin(struct run *r, const struct event *ev);
bool step_holds(struct run *r, uint32_t step);
/* Does the rule mean this event, and by this source of its category? */
bool check_meant(struct run *r, const struct check *c);
/* Does an atom about one value hold for it? Not for atoms that compare fields (atom_of_value). */
bool atom_holds_for(const struct atom *a, const struct folded *v);
bool atom_of_value(const struct atom *a);

#endif
