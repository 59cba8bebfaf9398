/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs report of their decisions, as it happens; and the refusals that they remember. */
#ifndef BINDCTL_EVENTS_H
#define BINDCTL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bindctl/abi.h"

struct bc_events;

/* What a reader wants. */
struct bc_wanted {
	bool all;	     /* every bind; else refusals, and what rules with `log` and `audit` ask for */
	uint32_t rate;	     /* of binds that nothing refused, at most so many a second; 0: no limit */
	uint32_t ring_bytes; /* of its ring: a power of two, and whole pages. A record takes 128 */
};

#define BC_RING_BYTES (4u << 20)

/* What did not get through since it was opened. */
struct bc_losses {
	uint64_t lost;	  /* found no room in the ring */
	uint64_t limited; /* came faster than the rate */
};

/*
 * Has the programs of the instance whose pins are in `dir` report into a ring of this process's own: of several readers
 * each gets everything. -ENOENT with a sentence when nothing is loaded, -EBUSY when there are too many readers.
 */
int bc_events_open(const char *dir, const struct bc_wanted *wanted, struct bc_events **ret, struct bc_error *reterr);
void bc_events_close(struct bc_events **events);

/* Whether what is loaded there still reports into it. */
bool bc_events_live(const struct bc_events *events);

/* For poll(2): readable when there is something to read. Owned by *events. */
int bc_events_fd(const struct bc_events *events);

/* Hands every event that is there to `fn`, until it returns non-zero, which is then the result; 0 when all were read. */
int bc_events_read(struct bc_events *events, int (*fn)(void *ctx, const struct bc_event *event), void *ctx);

int bc_events_losses(const struct bc_events *events, struct bc_losses *ret, struct bc_error *reterr);

/* How many events of all readers found no room since the count began; and begins it anew. */
int bc_events_count_lost(const char *dir, uint64_t *ret_lost, struct bc_error *reterr);
int bc_events_forget_lost(const char *dir, struct bc_error *reterr);

/* Every counter (enum bc_counter), of all processors together. */
int bc_counters_read(const char *dir, uint64_t ret[BC_COUNTERS], struct bc_error *reterr);

/* A refusal, and how often in a row that user was refused that port and protocol. */
struct bc_refused {
	struct bc_event last;
	uint64_t times;
};

/*
 * The last refusals, up to BC_REFUSALS_USER of a user, the oldest first, whether or not anybody was reading events:
 * malloc'ed, *ret_n of them.
 */
int bc_refusals_read(const char *dir, struct bc_refused **ret, size_t *ret_n, struct bc_error *reterr);

#endif
