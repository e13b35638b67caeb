/* bad.c - reads a clock. */
#include <time.h>
long bad(void);
long bad(void)
{
	return (long)time(0);
}
