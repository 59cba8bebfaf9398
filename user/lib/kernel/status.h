/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an instance stands: what the kernel runs, not what we once asked of it. */
#ifndef BINDCTL_STATUS_H
#define BINDCTL_STATUS_H

#include "kernel/instance.h"

/* How another program stands to ours. */
enum bc_turn {
	BC_RUNS_BEFORE, /* it may refuse, or grant by itself */
	BC_RUNS_AFTER,	/* so may it, and the errno of a refusal is its own */
	BC_RUNS_BELOW,	/* before ours, but only for a cgroup below the one that ours is attached to */
	BC_SILENCED,	/* it runs no more where ours runs: it was attached above with leave to be overridden */
};

struct bc_neighbour {
	enum bc_hook hook;
	enum bc_turn turn;
	uint32_t id;
	char name[16]; /* empty when it cannot be told */
	char *cgroup;  /* where it is attached, if it is silenced or below; else NULL. Owned. */
};

/* bc_status_done() afterwards. */
struct bc_status {
	bool loaded;
	bool enforced; /* every hook that the policy needs runs our program at the cgroup, and it is in force */
	char *cgroup;  /* path; NULL when not attached or gone. Owned. */
	struct bc_link links[BC_HOOKS];
	struct bc_neighbour *neighbours; /* owned */
	size_t nneighbours;
	size_t room;
	uint32_t features;   /* of the policy in force */
	uint64_t generation; /* 0: no policy */
	uint64_t digest;
	uint64_t lost; /* events that found no room since the last load */
	uint32_t rules;
	size_t bytes;		 /* of the image */
	struct bc_policy policy; /* in force, its subjects as numbers; owned */
};

void bc_status_done(struct bc_status *status);

/*
 * Finds it out. `findings` say in words what is wrong: errors are faults of this instance, warnings speak of neighbours.
 * 0, also when nothing is loaded or the pins are of an older schema; or -errno with a sentence.
 */
int bc_instance_status(const struct bc_instance *instance, struct bc_status *ret_status, struct bc_report *findings,
		       struct bc_error *reterr);

/*
 * Adds the neighbours at cgroups below the instance's, and a warning for each. Every such cgroup is looked at, and there
 * may be many. 0 or -ENOMEM with a sentence.
 */
int bc_instance_look_below(const struct bc_instance *instance, struct bc_status *status, struct bc_report *findings,
			   struct bc_error *reterr);

#endif
