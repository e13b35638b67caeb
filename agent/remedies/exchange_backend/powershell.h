/* powershell.h - a plan as a PowerShell script that a person reads and runs on the server itself. */
#ifndef EVMEND_REMEDIES_POWERSHELL_H
#define EVMEND_REMEDIES_POWERSHELL_H

#include "base/buf.h"
#include "base/err.h"
#include "heal/remedy.h"

/* The fixed parts, as scripts/powershell/ has them. frame: where the others go is a line of its own, "#@HEADER@", "#@DATA@",
 * "#@STEPS@", "#@LOOK@", "#@ACT@". */
struct be_script {
	const char *frame, *look, *act;
};

/* Appends the script to `to`. -1 and *e:
 *   ERR_REFUSED  the verdict has no plan, or a cause above it is not excluded (the text says which verdict and why), or a value of
 *                the plan has not the shape that its type has
 *   ERR_INTERNAL a line of the frame is missing, or the script is larger than `to` allows
 * Facts, names and thumbprints come from the diagnosis; nothing that an event said is in it. */
int be_powershell(const struct diagnosis *d, const struct be_script *script, struct buf *to, struct err *e);

#endif
