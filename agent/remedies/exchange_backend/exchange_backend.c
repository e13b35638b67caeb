/* exchange_backend.c - the remedy for the certificate of port 444, as heal/ sees it.
 *
 * Exists to put the four parts into one contract. Promises to be asked only for causes that concern the back end. */
#include <string.h>

#include "remedies/exchange_backend/backend.h"

static bool handles(const char *cause)
{
	/* every cause whose diagnosis starts at the back end; notes name the others */
	return strncmp(cause, "exchange-", 9) == 0;
}

const struct remedy remedy_exchange_backend = {
	.name = "exchange_backend",
	.handles = handles,
	.diagnose = be_diagnose,
	.judge = be_judge,
	.plan = be_plan,
	.verify = be_verify,
};
