/* bad.c - a hash without a seed. */
int bad(void);
int bad(void)
{
	HASH_FIND_STR(table, name, found);
}
