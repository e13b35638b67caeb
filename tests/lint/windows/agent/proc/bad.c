/* bad.c - knows a system. */
#ifdef _WIN32
#endif
int bad;
