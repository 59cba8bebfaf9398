/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first half of the road, in one call: policy files to an image (parse, resolve, compile). */
#ifndef BINDCTL_BUILD_H
#define BINDCTL_BUILD_H

#include "host/store.h"
#include "pure/compile.h"
#include "pure/resolve.h"

/* A policy and the image it makes. */
struct bc_build {
	struct bc_policy policy; /* resolved: without the rules of subjects that nobody knows */
	size_t unresolved;	 /* how many those were */
	struct bc_cells cells;
};

void bc_build_done(struct bc_build *build);

/*
 * Fills an empty build; after a failure it holds what could be read, for those who want to go on looking, but no
 * cells. Every fault and every finding goes to the report. `names` are looked up. `conflicts` is the severity of two
 * rules of equal rank that disagree, `unknown` that of a name that nobody has (with BC_WARNING the rule is left out).
 * A look-up that fails for another reason fails the whole, whatever `unknown` is.
 * 0, or -errno with *reterr saying what the report's errors add up to.
 */
int bc_build_policy(const struct bc_files *files, const struct bc_names *names, enum bc_severity conflicts,
		    enum bc_severity unknown, struct bc_build *build, struct bc_report *report,
		    struct bc_error *reterr);

#endif
