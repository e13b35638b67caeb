/* stand_in.h - a fast receiver for the sinks over HTTP: Splunk's collector and the bulk API, everything is accepted. */
#ifndef EVMEND_TESTS_BENCH_STAND_IN_H
#define EVMEND_TESTS_BENCH_STAND_IN_H

/* In a process of its own; its id. bodies: a file for what comes, each body behind its length in 8 bytes; NULL: nothing is kept. */
int stand_in_start(const char *bodies, int *port);
void stand_in_end(int pid);

#endif
