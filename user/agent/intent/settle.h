/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims to rules. In the policy language the narrower range decides, and claims that were cut are narrower than they were
 * written; so what claims mean to each other is settled here, port by port, and the rules that come out of it do not compete
 * but by the length of their prefixes. A bind gets from them what it gets from the nearest claim that is about it.
 */
#ifndef BINDCTL_AGENT_SETTLE_H
#define BINDCTL_AGENT_SETTLE_H

#include "agent/intent/claim.h"

/* A rule: what one claim says, of a part of what it is about. */
struct row {
	struct bc_range range;
	uint32_t claim; /* whose word it is */
	uint32_t place; /* whose prefix */
	uint8_t proto;
	bool has_user;
	uint32_t user;
};

struct rows {
	struct row *items;
	size_t n, room;
};

/* Told of claims that others leave nothing of somewhere, each loser once for the cluster and once for the namespace. */
typedef void settle_fn(void *ctx, const struct claim *winner, const struct claim *loser);

/* Steps, and rows, beyond which it is given up. */
#define SETTLE_STEPS_MAX 2000000
#define SETTLE_ROWS_MAX 8192

/*
 * Rows for one pod, in no particular order. `overruled` hears of what a cluster's deny takes from somebody's grant, and of
 * claims that are equally near and disagree. 0, -ENOMEM, or -E2BIG when the claims are too many that overlap.
 */
int settle(const struct claims *claims, struct rows *ret, settle_fn *overruled, void *ctx);

static inline void rows_done(struct rows *rows)
{
	free(rows->items);
	*rows = (struct rows){};
}

#endif
