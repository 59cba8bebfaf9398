/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SUBJECT PORTS [CLAUSES] of the command line to a rule. */
#ifndef BINDCTL_WORDS_H
#define BINDCTL_WORDS_H

#include "base/error.h"
#include "pure/policy.h"

/*
 * Parses the arguments behind `verb` into the empty policy's only rule and looks its subject up. Faults name the
 * argument. A subject that nobody knows is one, unless `unknown_too`: its id is then BC_UNRESOLVED. 0 or -errno.
 */
int parse_arguments(struct bc_policy *policy, const char *verb, int argc, char **argv, bool unknown_too,
		    struct bc_error *reterr);

#endif
