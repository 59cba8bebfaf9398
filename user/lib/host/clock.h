/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time of day, and a clock to wait by. */
#ifndef BINDCTL_CLOCK_H
#define BINDCTL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of Unix time, as policy counts. */
static inline int64_t bc_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Milliseconds of a clock that nobody sets. */
static inline int64_t bc_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

#endif
