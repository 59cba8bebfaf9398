/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long to wait before the next try: longer each time, and by chance, so that the nodes of a cluster do not all come
 * back in the same moment.
 */
#ifndef BINDCTL_AGENT_BACKOFF_H
#define BINDCTL_AGENT_BACKOFF_H

#include <stdint.h>

/* `first_ms` and `most_ms` are set by the owner; the rest is zero to begin with, but the seed, which is any number. */
struct backoff {
	int64_t first_ms; /* the first wait is this long, to twice as long */
	int64_t most_ms;  /* no wait is longer */
	uint32_t seed;
	unsigned tries; /* since the last success */
};

/* The wait before the next try, counting it. */
int64_t backoff_next(struct backoff *backoff);

/* It went well: the next wait is the first again. */
void backoff_reset(struct backoff *backoff);

/* A number in [least, most], from the same seed. */
int64_t backoff_between(struct backoff *backoff, int64_t least, int64_t most);

#endif
