/* bad.c - a division by zero that clang-tidy must find. */
int bad(int n);
int bad(int n)
{
	int zero = 0;
	return n / zero;
}
