/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long programs run, by the kernel's own account (BPF_STATS_RUN_TIME), which runs_count() switches on. */
#ifndef BINDCTL_BENCH_RUNS_H
#define BINDCTL_BENCH_RUNS_H

#include "bench.h"

/* All programs that run at a place. */
struct programs {
	int fds[64];
	unsigned n;
};

struct count {
	double ns;
	double runs;
};

/* Until the descriptor is closed. */
int runs_count(void);

struct programs programs_find(enum place place);
void programs_release(const struct programs *programs);

/* What the kernel has counted of them until now. */
struct count programs_count(const struct programs *programs);

/* Has the worker bind so often as the order says; what all programs there took for one bind, and how often they ran. */
struct count programs_measure(const struct programs *programs, const struct worker *worker, const struct order *order);

#endif
