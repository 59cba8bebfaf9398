/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pods' cgroups; and pods that were deleted, or say that they ended, and whose cgroups are still there. */
#ifndef BINDCTL_AGENT_LEFTOVER_H
#define BINDCTL_AGENT_LEFTOVER_H

#include "agent/intent/podpath.h"
#include "agent/intent/state.h"

/* The directory that the paths of pods' cgroups begin at; -1: it cannot be opened. To be closed. */
int leftover_top(const char *cgroup);

/* Whether a cgroup below it may be the pod's, wherever that may be. Where it cannot be seen there is one. */
bool leftover_has_cgroup(const struct podpath_config *config, int top, const struct pod *pod);

/*
 * Has the state forget the deleted ones of which no cgroup is left, and know which of the others have one, below the
 * hierarchy that `cgroup` (NULL: cgroup2's root) lies in. Where that cannot be seen all have. enum state_change.
 */
int leftover_forget(struct state *state, const struct podpath_config *config, const char *cgroup);

/*
 * For when all pods are known, and it is not known which were before: at the start, and after a new list, which may lack
 * some that no event told of. Has the state know the pods whose cgroups are there, and which it knows nothing of. enum
 * state_change.
 */
int leftover_find(struct state *state, const struct podpath_config *config, const char *cgroup);

#endif
