#include <stdio.h>
/* too late */
