/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names in a policy to the numbers, and units to the cgroups, that the kernel knows. */
#ifndef BINDCTL_RESOLVE_H
#define BINDCTL_RESOLVE_H

#include "base/error.h"
#include "pure/policy.h"

/* How names are looked up: by the host's databases, or a test's. */
struct bc_names {
	/* 0 and the number; -ENOENT when there is no such user or group; another -errno when the question failed. */
	int (*user)(void *ctx, const char *name, uint32_t *ret_uid);
	int (*group)(void *ctx, const char *name, uint32_t *ret_gid);
	/*
	 * 0 and the path of the unit's cgroup, malloc'ed, with whether this host has such a unit; -errno when the
	 * question failed. `uid` is that of the rule's user, who may have a unit of that name; BC_UNRESOLVED for none.
	 */
	int (*unit)(void *ctx, const char *name, uint32_t uid, char **ret_path, bool *ret_known);
	void *ctx;
};

/*
 * Sets every rule's id and path. A name is looked up once however often it occurs. Each unknown user or group is added
 * to the report once for each rule, with `severity`; rules left unresolved keep the id BC_UNRESOLVED. A unit that this
 * host does not have is covered all the same, and reported (as a warning) if `severity` is BC_WARNING.
 * 0, or -ENOENT when a name was unknown, or -errno when a look-up failed.
 */
int bc_resolve(struct bc_policy *policy, const struct bc_names *names, enum bc_severity severity,
	       struct bc_report *report);

/* Takes out the rules whose subject is unresolved; returns their number. */
size_t bc_policy_drop_unresolved(struct bc_policy *policy);

#define BC_UNRESOLVED UINT32_MAX /* (uid_t)-1: no process has it */

#endif
