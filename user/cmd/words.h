/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SUBJECT PORTS [CLAUSES] of the command line to a rule. */
#ifndef BINDCTL_WORDS_H
#define BINDCTL_WORDS_H

#include <stdbool.h>

#include "base/error.h"
#include "pure/policy.h"

/* A rule on the command line. */
struct arguments {
	const char *verb;
	int argc; /* at least 2 */
	char **argv;
	const char *const *options; /* for each of argv the option that it is the value of; NULL: arguments */
	const char *duration;	    /* of --for; NULL: none */
	bool unknown_too;	    /* a subject that nobody knows is no fault: its id is then BC_UNRESOLVED */
};

/* Whether a command's SUBJECT that is just this name means a user. */
bool is_user_subject(const char *name);

/* Parses them into the empty policy's only rule and looks its names up. Faults name the argument. 0 or -errno. */
int parse_arguments(struct bc_policy *policy, const struct arguments *arguments, struct bc_error *reterr);

#endif
