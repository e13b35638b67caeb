/* killpoint.h - named places where a test stops a role and kills it (or another one). In a normal build they are nothing at all;
 * a build with -DEVMEND_KILLPOINTS is for tests/e2e/kill_runs.sh only and says so in `evmend version`.
 *
 * kill_point("watch.before-position"): when EVMEND_KILL_POINT has this name and EVMEND_KILL_DIR/NAME.hit does not exist yet, that file
 * is made and the process stops itself (SIGSTOP), once. The test then kills whom it wants and lets this one go on. */
#ifndef EVMEND_BASE_KILLPOINT_H
#define EVMEND_BASE_KILLPOINT_H

#ifdef EVMEND_KILLPOINTS
void kill_point(const char *name);
#else
#define kill_point(name) ((void)0)
#endif

#endif
