/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods that are no object of the cluster any more. Whoever may delete a pod may have it forgotten at once, and its
 * processes live on for as long as its author has asked for: what they are denied they must not get by that.
 */
#ifndef BINDCTL_AGENT_GONE_H
#define BINDCTL_AGENT_GONE_H

#include "agent/intent/object.h"
#include "agent/intent/state.h"

/* Zero-initialised is empty. */
struct gone {
	struct state_entry *entries;
	size_t n, room;
};

void gone_done(struct gone *gone);

/*
 * Takes key and pod of the entry over, and leaves it without, if processes of the pod may go on: it has not finished, and
 * is not a static pod, which does not end with its object. Without memory it is forgotten.
 */
void gone_add(struct gone *gone, struct state_entry *entry);

/* The pod of that uid is there again. */
void gone_drop(struct gone *gone, const char *id);

/* Forgets those of which `is_there` is not true. Whether there were any. */
bool gone_forget(struct gone *gone, bool (*is_there)(void *ctx, const struct pod *pod), void *ctx);

#endif
