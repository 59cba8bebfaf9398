/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiler's middle: overlapping rules of one subject to disjoint segments, each with its rules in rank order. */
#ifndef BINDCTL_SEGMENT_H
#define BINDCTL_SEGMENT_H

#include "pure/compile.h"

/* One range of one rule. */
struct bc_entry {
	uint32_t key; /* bc_key(scope, kind) */
	uint32_t id;
	uint16_t first;
	uint16_t last;
	uint32_t rule; /* its number; with BC_REF_OTHERS, a reserve as it concerns everyone else */
};

/* A subject's segments: n of them from `first` in bc_plan.segments. */
struct bc_run {
	uint32_t key;
	uint32_t id;
	uint32_t first;
	uint32_t n;
};

/* What the image will hold, section by section. Owns its arrays; zero-initialised is empty. */
struct bc_plan {
	struct bc_run *runs;
	size_t nruns, runs_room;
	struct bc_segment *segments; /* of runs with one segment too */
	size_t nsegments, segments_room;
	uint32_t *lists;
	size_t nlists, lists_room;
	enum bc_severity severity; /* of two rules of equal rank that disagree */
	struct bc_report *report;
	void *reported; /* tsearch(3) tree of the pairs that are in the report */
};

void bc_plan_done(struct bc_plan *plan);

/*
 * Adds the runs of all entries, which must be sorted by bc_entry_compare(). 0, -ENOMEM, or -E2BIG when lists pass
 * BC_LISTED_MAX.
 */
int bc_plan_segments(struct bc_plan *plan, const struct bc_policy *policy, const struct bc_entry *entries, size_t n);

int bc_entry_compare(const void *a, const void *b);

#endif
