/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent itself: what is watched becomes state, state becomes intent, and that is enforced. One thread, one loop.
 * Until all was read once nothing is touched, and when the API is away nothing changes: what is in force stays so.
 */
#ifndef BINDCTL_AGENT_H
#define BINDCTL_AGENT_H

#include "agent/astray.h"
#include "agent/enforce.h"
#include "agent/intent/intent.h"
#include "agent/options.h"
#include "agent/pace.h"
#include "agent/serve.h"
#include "agent/sources.h"

struct agent {
	const struct options *options;
	struct http *http;
	struct sources sources;
	struct intent_config intent;
	struct enforcer enforcer;
	struct serve *serve; /* NULL: nobody is served */
	int signals;	     /* signalfd */
	struct pace pace;
	bool synced;  /* all was read once; from then on it is applied */
	bool applied; /* at least once */

	struct findings findings;   /* of the last computation */
	struct findings complaints; /* of the policy's files, when they were last compiled */
	struct findings lost;	    /* of pods that are astray */
	struct astray astray;
	struct intent_counts counts;
	struct bc_error failure; /* why what is meant is not in force; without a text: it is, or was not yet tried */
	struct metrics metrics;
};

/* Runs until it is told to stop by SIGTERM or SIGINT. Returns an exit code. */
int agent_run(const struct options *options);

/* Computes the policy and applies it, whatever the pace. */
void agent_apply(struct agent *agent);

/* Looks which cgroups are there of pods that were deleted, or say that they ended. Whether that is another thing now. */
bool agent_forget(struct agent *agent);

/* Looks whether it is in force still, and mends what is not. */
void agent_check(struct agent *agent);

/* Prints the policy, and what it would change, instead. Returns an exit code. */
int agent_print(struct agent *agent);

/* The pages that it serves; one without a path ends them. The context is the agent. */
extern const struct serve_page agent_pages[];

#endif
