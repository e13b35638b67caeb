/* heal_paths.h - every way in which a back end is repaired: a state of the host for each, and one run of it from the first event to
 * the end. A new way is a new row: whatever plan the remedy gives for that state is run. */
#ifndef EVMEND_TESTS_LIB_HEAL_PATHS_H
#define EVMEND_TESTS_LIB_HEAL_PATHS_H

#include "lib/heal_bench.h"
#include "lib/heal_oracle.h"

struct heal_path {
	const char *name;
	void (*make)(struct fake_world *w); /* breaks a healthy server */
	bool approval;                      /* a person is asked first */
	const char *steps;                  /* "cert_create record_set": what a clean run does */
	bool undone;                        /* and it ends rolled back: a person is called */
};

extern const struct heal_path heal_paths[]; /* ends with a NULL name */

void heal_paths_in_memory(void); /* scratch folders of thousands of runs: in /dev/shm where there is one */
bool heal_path_wanted(const struct heal_path *p); /* EVMEND_FAULT_PATH names one of them; else all are wanted */

/* For each path that is wanted and each fault of [first, end): calls one(path, fault, n) for places n until it answers false, for there is no
 * such place. It fails unless that is between `least` and `most`. One place in EVMEND_FAULT_EVERY (1) is taken; path and fault say which is the
 * first, so that together they meet all. Prints the runs. */
void heal_every_path(int first, int end, bool (*one)(const struct heal_path *p, int fault, int n), int least, int most);

struct heal_run {
	struct heal_bench bench;
	struct oracle oracle;
	const struct heal_path *path;
	char steps[200]; /* that reached the host */
	/* The program is killed: nothing more reaches the host or heal.db, until heal_run_restart. */
	int kill_at;     /* at the n-th operation of the host; 0: never */
	bool kill_after; /* once that is done; else before it */
	bool kill_write; /* when db_fail_at has hit */
};

#define HEAL_RUN_CASE 5

/* A healer beside a server that is broken now; sets all of *r. */
void heal_run_begin(struct heal_run *r, const struct heal_path *path);
void heal_run_drive(struct heal_run *r);  /* events tell of it; a person says yes when asked; some minutes pass, or it is killed */
bool heal_run_is_over(struct heal_run *r); /* healed, and nothing is under way: a new start would find nothing to do */
void heal_run_restart(struct heal_run *r);/* as after SIGKILL; the world is sound again */
void heal_run_finish(struct heal_run *r); /* the trouble is over: hours pass, a person says yes. Fails unless the server works */
void heal_run_check(struct heal_run *r, const char *what, int n); /* fails unless all that must hold holds */
void heal_run_end(struct heal_run *r);

#endif
