/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent counts, as plain numbers, and the same in the text format of Prometheus. */
#ifndef BINDCTL_METRICS_H
#define BINDCTL_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

#define METRICS_BUCKETS 12
#define METRICS_REJECTED_MAX 100 /* rejected objects that are named; all are counted */

/* Durations, by upper bounds of 1 ms to 30 s (metrics_bounds). */
struct metrics_histogram {
	uint64_t buckets[METRICS_BUCKETS]; /* of each alone, not of all up to it */
	uint64_t count;			   /* those above the last bound, too */
	double sum;			   /* seconds */
};

extern const double metrics_bounds[METRICS_BUCKETS];

void metrics_observe(struct metrics_histogram *histogram, double seconds);

/* One of the four things that are watched. Times are milliseconds of Unix time, 0: never. */
struct metrics_resource {
	const char *name;    /* "pods" */
	uint64_t answers[6]; /* to requests: 1xx to 5xx by index, 0: none at all */
	uint64_t lists, watches;
	uint64_t set, gone, bookmarks; /* what they brought */
	uint64_t expired, truncated, silent;
	int64_t event_ms, bookmark_ms, contact_ms;
	uint64_t objects;	   /* held now */
	uint64_t synced, watching; /* 0 or 1: listed at least once; followed now */
};

#define METRICS_RESOURCES 4

/* An object that is not in force because something is wrong with it. Not owned. */
struct metrics_object {
	const char *kind, *namespace, *name; /* namespace: "" when it has none */
};

enum metrics_result {
	METRICS_CHANGED,
	METRICS_UNCHANGED,
	METRICS_FAILED,
	METRICS_RESULTS,
};

/* Zero-initialised but for what has a name is what has just started. */
struct metrics {
	struct metrics_resource resources[METRICS_RESOURCES];
	const struct metrics_object *rejected; /* not owned */
	size_t nrejected;
	uint64_t objects_rejected;	/* all of them */
	uint64_t findings;		/* of the last computation, all of them */
	uint64_t pods, pods_with_rules; /* of this node */
	uint64_t pods_without_cgroup;	/* that run, and whose rules hold for nobody */
	uint64_t rules;			/* that they got */
	uint64_t applies[METRICS_RESULTS];
	uint64_t mended; /* drift that a check found and undid */
	int64_t applied_ms, started_ms;
	bool ready, enforced;
	struct metrics_histogram apply, event_to_enforced;
};

/* Adds all of it, and how the process itself does. */
void metrics_text(const struct metrics *metrics, struct bc_text *to);

/* Adds a label's value as it stands between quotes. */
void metrics_add_value(struct bc_text *to, const char *value);

#endif
