/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods that run and have no cgroup where their rules are for it. Then kubelet puts pods elsewhere than the agent was told,
 * and all that is in force for them holds for nobody.
 */
#ifndef BINDCTL_AGENT_ASTRAY_H
#define BINDCTL_AGENT_ASTRAY_H

#include <stdint.h>

#include "agent/intent/intent.h"

/* How long one must be missed, in ms: what has just ended is said to run for a while. */
#define ASTRAY_AFTER 10000

/* Zero-initialised is before the first look. */
struct astray {
	struct missed *missed; /* at the last look */
	size_t n, room;
	size_t running; /* pods that were said to run */
	size_t astray;	/* of these, those missed for so long */
};

struct missed {
	char id[PODPATH_UID_MAX + 1];
	int64_t since;
};

void astray_done(struct astray *astray);

/*
 * Looks for the cgroups of the node's pods at the time `now`, below the hierarchy that `cgroup` (NULL: cgroup2's root) lies
 * in, and adds a finding for each pod that is astray. 0; or -errno where that cannot be seen, and all is as before.
 */
int astray_look(struct astray *astray, const struct state *state, const struct intent_config *config,
		const char *cgroup, int64_t now, struct findings *findings);

#endif
