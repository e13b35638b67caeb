/* bad.c - four blanks. */
int bad(void);
int bad(void)
{
    return 0;
}
