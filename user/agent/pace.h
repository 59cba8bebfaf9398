/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to compute and apply the policy: soon after the first event of a burst, so that those behind it come along; not
 * more than half of the time, however many there are; later and later while it fails. Values in, values out:
 * milliseconds of a clock that the caller reads.
 */
#ifndef BINDCTL_PACE_H
#define BINDCTL_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_BURST 20	/* a burst's events are waited for, from the first one on */
#define PACE_RETRY 1000 /* behind the first failure; twice as long behind each further one */
#define PACE_RETRY_MAX 30000
#define PACE_CHECK 60000 /* from one look at what is in force to the next */
#define PACE_NEVER INT64_MAX

struct pace {
	int64_t first;	   /* when the first event came that is not in force; PACE_NEVER: all are */
	int64_t ended;	   /* the last time that it was applied, or tried to be; or looked at */
	int64_t took;	   /* how long that was */
	unsigned failures; /* in a row */
};

#define PACE_NONE ((struct pace){ .first = PACE_NEVER })

/* Something has changed that counts. */
void pace_event(struct pace *pace, int64_t now);

/* When to apply; PACE_NEVER: there is nothing to apply. */
int64_t pace_due(const struct pace *pace);

/* When to look whether what was applied is still in force; PACE_NEVER while there is something to apply. */
int64_t pace_check(const struct pace *pace);

/* It was applied, or looked at, from `begun` to `now`. A failure is one more thing to apply. */
void pace_done(struct pace *pace, int64_t begun, int64_t now, bool failed);

#endif
