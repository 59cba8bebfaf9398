/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds of claims at one port: each as far as nearer ones leave it. */
#ifndef BINDCTL_AGENT_COLUMN_H
#define BINDCTL_AGENT_COLUMN_H

#include "agent/intent/settle.h"

/* What is left of a claim at some port. */
struct left {
	uint32_t claim;
	uint32_t place; /* the claim whose prefix it has */
	uint32_t proto;
};

/* All that is left there, the nearest first. */
struct column {
	struct left *items;
	size_t n, room;
};

/* What all columns of a pod have to do with. */
struct columns {
	const struct claims *claims;
	size_t steps;	     /* taken so far */
	unsigned char *told; /* of each claim, what `overruled` was told */
	settle_fn *overruled;
	void *ctx;
};

/* The order of two claims, whose numbers these are: the nearer one first, and of the equally near the lesser privilege. */
int column_compare(const void *left, const void *right, void *claims);

/* Of the claims that are about a port, in this order. 0, -ENOMEM, or -E2BIG beyond SETTLE_STEPS_MAX. */
int column_make(struct columns *c, struct column *column, const uint32_t *members, const uint32_t *about, size_t n);

bool column_equal(const struct column *a, const struct column *b);

#endif
