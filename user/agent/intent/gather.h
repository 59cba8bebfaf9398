/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the policies claim for one pod, and what is not in force of them. */
#ifndef BINDCTL_AGENT_GATHER_H
#define BINDCTL_AGENT_GATHER_H

#include "agent/intent/claim.h"
#include "agent/intent/finding.h"
#include "agent/intent/object.h"
#include "agent/intent/state.h"

/* Pairs of either kind of policy for one pod, what is left of them, and parts of ceilings, beyond which it is too much. */
#define GATHER_MAX 4096

struct gather {
	const struct state *state;
	struct findings *findings;
};

/*
 * The claims for the pod. One that is `contested` gets what the cluster denies, and nothing else. claim->policy is an index
 * of cluster policies, and behind the last one of BindPolicies. 0 or -ENOMEM.
 */
int gather(const struct gather *g, const struct state_entry *entry, bool contested, struct claims *ret);

/* The entry of a claim's policy. */
const struct state_entry *gather_policy(const struct state *state, uint32_t policy, enum state_kind *ret_kind);

/* Adds a finding about the object that the key names. */
#define gather_note(findings, level, kind, key, ...)                                                  \
	do {                                                                                          \
		char _namespace[OBJECT_KEY_MAX];                                                      \
		const char *_name = gather_split(key, _namespace);                                    \
		findings_add(findings, level, state_kind_name(kind), _namespace, _name, __VA_ARGS__); \
	} while (0)

/* The namespace, "" for none; returns the name. */
const char *gather_split(const char *key, char namespace[OBJECT_KEY_MAX]);

#endif
