/* fleet_report.h - how the matrix of who reaches whom is printed. */
#ifndef EVMEND_CLI_FLEET_REPORT_H
#define EVMEND_CLI_FLEET_REPORT_H

#include "cli/cli.h"
#include "heal/fleet.h"

void fleet_print_json(const struct fleet *f); /* one line */
void fleet_print_text(const struct cli *c, const struct fleet *f); /* at most one screen for ten hosts */

#endif
