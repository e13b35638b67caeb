/* bad.c - a shell. */
#include <stdlib.h>
int bad(void);
int bad(void)
{
	return system("true");
}
