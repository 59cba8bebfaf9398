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

/* Owns `items`. Zero-initialised is empty. In a fixed order, each finding once. */
struct findings {
	struct finding *items;
	size_t n, room;
	size_t dropped; /* beyond FINDINGS_MAX, or for want of memory: only counted */
};

/* Copies the strings, each byte that is not printable written as \xHH; says nothing twice. */
void findings_add(struct findings *findings, enum finding_level level, const char *kind, const char *namespace,
		  const char *name, const char *format, ...) __attribute__((format(printf, 6, 7)));
void findings_done(struct findings *findings);

#endif
