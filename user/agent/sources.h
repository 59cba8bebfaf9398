/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The four things that the agent watches, and what it knows of them. */
#ifndef BINDCTL_SOURCES_H
#define BINDCTL_SOURCES_H

#include "agent/metrics.h"
#include "agent/api/reflector.h"
#include "agent/intent/state.h"

struct sources;

struct source {
	struct sources *all;
	enum state_kind kind;
	const char *name; /* "pods" */
	struct reflector *reflector;
};

/* Not to be moved. */
struct sources {
	struct state *state;
	char *selector; /* of this node's pods */
	struct source items[STATE_KINDS];
	bool changed;	  /* something that counts; the caller clears it */
	bool pods_listed; /* all pods are known, and some may have come and gone untold; likewise */
};

/* `http` outlives it. 0 or -ENOMEM; to be freed after either. */
int sources_init(struct sources *ret, struct http *http, const char *node);
void sources_done(struct sources *sources);

void sources_step(struct sources *sources, int64_t now);
/* When it wants to be stepped. */
int64_t sources_next(const struct sources *sources);

/* Whether each was read as a whole since the start. */
bool sources_synced(const struct sources *sources);

/* Whether what is known of the kind is followed now, and not only what was heard last. */
bool sources_watching(const struct sources *sources, enum state_kind kind);

/* Adds a line for each that was not, and why. */
void sources_reasons(const struct sources *sources, struct bc_text *to);

void sources_metrics(const struct sources *sources, struct metrics_resource to[METRICS_RESOURCES]);

#endif
