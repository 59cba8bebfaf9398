/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cluster wants of this node, as the text of one policy file. The same state always gives the same text.
 *
 * Of each pod: what it may bind is what the BindPolicies of its namespace give, as far as the ceilings of
 * ClusterBindPolicies and its own annotation let them; what a ClusterBindPolicy denies is denied whatever gives it. A
 * pod on the host's network is given nothing that no ClusterBindPolicy allows there, and one that a ClusterBindPolicy may
 * select of which not all was ever read nothing at all. Among the policies of a namespace the most specific rule decides, as
 * in all bind policy.
 */
#ifndef BINDCTL_AGENT_INTENT_H
#define BINDCTL_AGENT_INTENT_H

#include "base/error.h"
#include "base/util.h"
#include "agent/intent/finding.h"
#include "agent/intent/podpath.h"
#include "agent/intent/state.h"

struct intent_config {
	const char *node;	    /* pods of other nodes are ignored */
	struct podpath_config path; /* with both drivers: rules for the paths of both */
};

/* What went into the text. */
struct intent_counts {
	size_t pods;	   /* on this node, and not finished, be it for want of a cgroup */
	size_t pods_ruled; /* of these, those that some rule speaks of */
	size_t rules;	   /* lines of rules */
	size_t rejected;   /* objects that cannot be read, wherever they are */
};

/*
 * The whole file. The findings name what is not in force as it was written. Bad objects are no failure; 0, -ENOMEM, or
 * -EINVAL for a config that is none, and nothing is returned then.
 */
int intent_make(const struct state *state, const struct intent_config *config, struct bc_text *ret_text,
		struct findings *ret_findings, struct intent_counts *ret_counts, struct bc_error *reterr);

#endif
