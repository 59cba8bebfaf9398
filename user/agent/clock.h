/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What time it is, in milliseconds. */
#ifndef BINDCTL_AGENT_CLOCK_H
#define BINDCTL_AGENT_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_ms(clockid_t clock)
{
	struct timespec now = {};

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* For waiting: nobody sets it. */
static inline int64_t clock_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC);
}

static inline int64_t clock_unix_ms(void)
{
	return clock_read_ms(CLOCK_REALTIME);
}

#endif
