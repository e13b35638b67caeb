/* bad.c - a write behind the end that cppcheck must find. */
int bad(void);
int bad(void)
{
	int a[2] = {0, 0};
	a[2] = 1;
	return a[0];
}
