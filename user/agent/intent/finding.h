/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be said of the cluster's objects: which of them are not in force, and why. */
#ifndef BINDCTL_AGENT_FINDING_H
#define BINDCTL_AGENT_FINDING_H

#include "base/error.h"
#include "base/util.h"

enum finding_level {
	/* The object is skipped whole; of a pod or cluster policy the last readable version, or the least, is in force. */
	FINDING_REJECTED,
	FINDING_WARNING, /* the object is in force, but not as it was probably meant */
	FINDING_NOTE,	 /* as it should be, but good to know */
};

/* The strings hold no control bytes and are well-formed UTF-8. */
struct finding {
	enum finding_level level;
	const char *kind; /* "Pod", "Namespace", "BindPolicy", "ClusterBindPolicy"; not owned */
	char *namespace;  /* "" for what is in no namespace */
	char *name;	  /* "?" when it has none */
	char *text;	  /* one sentence, the field first: "spec.rules[2].protocol: 'SCTP' is not TCP or UDP" */
	uint64_t hash;
};

#define FINDINGS_MAX 1000
#define FINDINGS_OF_NAMESPACE 200 /* so that one namespace cannot hide what is wrong with others */

/* How much has been said of one namespace. */
struct findings_tally {
	char *namespace; /* as it was given */
	size_t n;
	bool full; /* something was left unsaid */
};

/* Owns what it points to. Zero-initialised is empty. In a fixed order, each finding once. */
struct findings {
	struct finding *items;
	size_t n, room;
	struct findings_tally *tallies;
	size_t ntallies, tallies_room, last; /* the tally in use */
	bool full;			     /* something was left unsaid of any namespace */
	size_t dropped;			     /* calls beyond either limit, or for want of memory: only counted */
};

/*
 * Copies the strings, each byte that is not printable written as \xHH; says nothing twice. Beyond a limit it does no more
 * than to count, and so what was said before, too.
 */
void findings_add(struct findings *findings, enum finding_level level, const char *kind, const char *namespace,
		  const char *name, const char *format, ...) __attribute__((format(printf, 6, 7)));
void findings_done(struct findings *findings);

#endif
