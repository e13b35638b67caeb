/* bad.c - the agent knows the lab. */
#include "lab/lab.h"
