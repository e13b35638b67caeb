/* bad.c - a static that counts. */
int bad(void);
int bad(void)
{
	static int n;
	return ++n;
}
