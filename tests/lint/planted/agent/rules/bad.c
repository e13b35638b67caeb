/* bad.c - shows that the rule can fail. */
#ifdef EVMEND_PLANTED_BUG
int planted;
#endif
