/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `bindctl learn` has seen, and how it is printed: as policy, or as JSON. */
#ifndef BINDCTL_CMD_LESSONS_H
#define BINDCTL_CMD_LESSONS_H

#include "base/error.h"
#include "pure/learn.h"

#define LESSONS_GAPS 4

/* Zero-initialised is empty. lessons_done() afterwards. */
struct lessons {
	struct bc_learn learn;
	const char *of_user; /* as it was asked for; NULL: of all */
	uint32_t uid;	     /* of that user */
	const char *cgroup;  /* the one asked for, and all below it; NULL: all */
	int64_t start, end;  /* nanoseconds of Unix time */
	bool json;
	char gaps[LESSONS_GAPS][160]; /* why rules may be missing */
	unsigned ngaps;
};

void lessons_done(struct lessons *lessons);

/* Rules may be missing; that is also said at once. */
void lessons_gap(struct lessons *lessons, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 0 or -errno with a sentence. */
int lessons_print(const struct lessons *lessons, struct bc_error *reterr);

#endif
