/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a live process is to the policy: what the programs would see of it at bind(2). */
#ifndef BINDCTL_PROCESS_H
#define BINDCTL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Owns its pointers; bc_process_done(). Ids are those that this process's user namespace shows. */
struct bc_process {
	uint32_t uid; /* effective */
	uint32_t gid; /* effective */
	uint32_t *groups;
	size_t ngroups;
	char *cgroup; /* path from the root of cgroup2 as this process sees it; NULL outside of that */
	bool host_netns;
	/* Only of a holder: */
	bool too_deep;	/* the kernel does not tell its cgroup, whose path is longer than a path can be */
	bool binds_low; /* has CAP_NET_BIND_SERVICE where it counts in our network namespace */
	char comm[64];	/* the name that it gave itself */
};

void bc_process_done(struct bc_process *process);

/* Reads it from /proc; of a threaded process, its first thread. 0, or -errno with a sentence. */
int bc_process_read(pid_t pid, struct bc_process *ret, struct bc_error *reterr);

/* The same of one that holds a socket of our network namespace: what counts is where that is, not the process. */
int bc_process_read_holder(pid_t pid, struct bc_process *ret, struct bc_error *reterr);

/* Whether we are in the initial network namespace. */
bool bc_process_in_host_netns(void);

/* The cookie of the initial network namespace, if this process is in it; else 0. */
uint64_t bc_process_host_cookie(void);

#endif
