/* bad.c - base may not know rules. */
#include "rules/rule.h"
