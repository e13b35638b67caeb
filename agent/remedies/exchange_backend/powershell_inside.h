/* powershell_inside.h - what the files that write a script share. */
#ifndef EVMEND_REMEDIES_POWERSHELL_INSIDE_H
#define EVMEND_REMEDIES_POWERSHELL_INSIDE_H

#include "remedies/exchange_backend/powershell.h"

#define WORDS 192 /* records, certificates or bindings in one list */
#define WORD 400

struct emit {
	const struct diagnosis *d;
	const struct be_script *script;
	struct buf *to;
	struct err *e;
	char (*words)[WORD]; /* a list that is being sorted */
	size_t n_words;
};

int ps_put_data(struct emit *x); /* what was true when the plan was made; powershell_data.c */

#endif
