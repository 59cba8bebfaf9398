/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policies that are measured: a rule that matters, and as many others as wanted. */
#ifndef BINDCTL_BENCH_TEXTS_H
#define BINDCTL_BENCH_TEXTS_H

#include "base/util.h"
#include "order.h"

#define WORKER_USER 1234u
#define WORKER_GROUP 5000u

enum kind {
	USERS,	  /* a user's grant, among other users' */
	GROUPS,	  /* a group's */
	CGROUPS,  /* grants of cgroups at several depths, among other cgroups' */
	REWRITES, /* a user's rewrite, to another address */
	DENIES,
	MIXED, /* a user's grant, and everything below 1024 denied to everyone else */
	KINDS,
	LONERS = KINDS, /* as USERS, but each has one rule: what needs the most memory */
	ALL_KINDS,
};

#define PORT 200 /* what the rule that matters is about: this port and ORDER_PORTS - 1 more */
#define PORT_UNNAMED 61000
/* Other rules: 16 ports of other subjects. Who has no grant is refused them. */
#define PORT_OTHERS 600
#define PORT_OTHERS_N 16
#define PORT_OTHERS_STEP 7
#define USER_OTHERS 100000u

extern const char *const kind_names[ALL_KINDS];
extern const unsigned depths[4]; /* of the cgroups that CGROUPS grants to, the root's children being 1 */

/* The path below OURS of the cgroup at that depth, which no other lies in; "" is OURS itself. */
const char *depth_path(unsigned depth);

/* Adds `rules` rules of a kind; `cgroup` is what the names of cgroups begin with, as in struct bench. */
void policy_text(enum kind kind, const char *cgroup, uint32_t rules, struct bc_text *ret);

#endif
