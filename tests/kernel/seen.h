/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What readers of events get. */
#ifndef BINDCTL_SEEN_H
#define BINDCTL_SEEN_H

#include <sys/socket.h>

#include "kernel/events.h"

#define SEEN_KEPT 64

struct seen {
	struct bc_event events[SEEN_KEPT];
	size_t n; /* in all; the first SEEN_KEPT are kept */
};

/* A reader of the bed's instance. Fails the test if there can be none. bc_events_close(). */
struct bc_events *seen_open(const struct bc_wanted *wanted);

/* What has come since the last time. */
void seen_read(struct bc_events *events, struct seen *ret);

#endif
