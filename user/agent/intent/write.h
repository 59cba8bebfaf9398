/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules as lines of a policy file. Nothing gets there but numbers, addresses, the paths of cgroups and checked names. */
#ifndef BINDCTL_AGENT_WRITE_H
#define BINDCTL_AGENT_WRITE_H

#include "agent/intent/settle.h"
#include "agent/intent/state.h"

struct writing {
	const struct state *state; /* for the names of policies */
	const struct claims *claims;
	const char *path;     /* of the cgroup; NULL: everyone on the node */
	bool own_netns;	      /* the pod has a network namespace of its own */
	struct bc_text *text; /* that the lines are added to */
	size_t lines;	      /* is counted up */
};

/* Sorts the rows. 0 or -ENOMEM. */
int write_rows(struct writing *w, struct rows *rows);

#endif
