/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names in a policy to the numbers that the kernel knows. */
#ifndef BINDCTL_RESOLVE_H
#define BINDCTL_RESOLVE_H

#include "base/error.h"
#include "pure/policy.h"

/* How names are looked up: the host's user database, or a test's. */
struct bc_names {
	/* 0 and *ret_uid; -ENOENT when there is no such user; another -errno when the question failed. */
	int (*user)(void *ctx, const char *name, uint32_t *ret_uid);
	void *ctx;
};

/*
 * Sets every rule's id. A name is looked up once however often it occurs. Each unknown name is added to the report
 * once for each rule, with `severity`; rules left unresolved keep the id BC_UNRESOLVED.
 * 0, or -ENOENT when a name was unknown, or -errno when a look-up failed.
 */
int bc_resolve(struct bc_policy *policy, const struct bc_names *names, enum bc_severity severity,
	       struct bc_report *report);

/* Takes out the rules whose subject is unresolved; returns their number. */
size_t bc_policy_drop_unresolved(struct bc_policy *policy);

#define BC_UNRESOLVED UINT32_MAX /* (uid_t)-1: no process has it */

#endif
