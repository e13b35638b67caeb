/* remedies.c - the remedies that this program has, one a line.
 *
 * Exists so that heal/ knows remedies by their contract only. To add one: write its folder and put it here. */
#include "remedies/exchange_backend/backend.h"

const struct remedy *const remedies[] = {
	&remedy_exchange_backend,
	NULL,
};
