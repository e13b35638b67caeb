/* exchange_backend.c - the remedy for the certificate of port 444, as heal/ sees it.
 *
 * Exists to put the four parts into one contract. Promises nothing of its own: each part does. */
#include "remedies/exchange_backend/backend.h"

const struct remedy remedy_exchange_backend = {
	.name = "exchange_backend",
	.diagnose = be_diagnose,
	.judge = be_judge,
	.plan = be_plan,
	.verify = be_verify,
};
