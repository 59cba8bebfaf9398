/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs report of their decisions: refusals always, other answers where a rule asks for it. */
#ifndef BINDCTL_EVENTS_H
#define BINDCTL_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bindctl/abi.h"

struct bc_events;

/* Opens the ring of the instance whose pins are in `dir`; -ENOENT with a sentence when nothing is loaded. */
int bc_events_open(const char *dir, struct bc_events **ret, struct bc_error *reterr);
void bc_events_close(struct bc_events **events);

/* Whether these are still the events of what is loaded there. */
bool bc_events_live(const struct bc_events *events, const char *dir);

/* For poll(2): readable when there is something to read. Owned by *events. */
int bc_events_fd(const struct bc_events *events);

/*
 * Hands every event that is there to `fn`, until it returns non-zero, which is then the result; 0 when all were read.
 * An event is read once: of several readers each sees a part.
 */
int bc_events_read(struct bc_events *events, int (*fn)(void *ctx, const struct bc_event *event), void *ctx);

/* How many events found no room in the ring since they were last counted anew. */
int bc_events_lost(const struct bc_events *events, uint64_t *ret_lost, struct bc_error *reterr);

/* The same of the instance whose pins are in `dir`; and counts them anew. */
int bc_events_count_lost(const char *dir, uint64_t *ret_lost, struct bc_error *reterr);
int bc_events_forget_lost(const char *dir, struct bc_error *reterr);

#endif
