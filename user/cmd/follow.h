/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as they happen, until there is a reason to end. */
#ifndef BINDCTL_CMD_FOLLOW_H
#define BINDCTL_CMD_FOLLOW_H

#include "cmd/app.h"
#include "kernel/events.h"

struct following {
	struct bc_events *events;
	int signal_fd;
};

/* When it is to end by itself. */
struct follow_limits {
	uint64_t count;	  /* events still to come; 0: no end */
	int64_t duration; /* nanoseconds; 0: no end */
};

/* getopt_long()'s entries for them, and what to do with one: an exit code when it is wrong, else -1. */
#define FOLLOW_OPTIONS                                  \
	{ "count", required_argument, NULL, 'c' },      \
	{                                               \
		"timeout", required_argument, NULL, 't' \
	}
int follow_option(struct follow_limits *limits, const struct command *command, int option, const char *value);

/* Whether that was the last event to be waited for, one having come. */
bool follow_is_full(struct follow_limits *limits);

/* The largest ring that anybody asks for. */
#define FOLLOW_RING_MAX (16u << 20)

#define FOLLOWING_NONE ((struct following){ .signal_fd = -1 })

/* Begins to have them reported. From now on SIGINT and SIGTERM wait for follow(). 0 or -errno with a sentence. */
int follow_open(const char *pins, const struct bc_wanted *wanted, struct following *ret, struct bc_error *reterr);
void follow_close(struct following *following);

/*
 * Hands each event to `fn`, and then to whoever reads stdout what that printed, until `fn` returns non-zero, which is
 * then the result; until `duration` is over, if it is not 0, or a signal asks for the end (0); until nobody reads
 * stdout (-EPIPE), or it cannot be written to (-errno, and ferror() is set); or until the programs that write the events
 * are unloaded (-ENOLINK).
 */
int follow(struct following *following, int64_t duration, int (*fn)(void *ctx, const struct bc_event *event),
	   void *ctx);

#endif
