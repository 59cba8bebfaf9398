/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to tell of a rule that was learned, and how it is written down with it. */
#ifndef BINDCTL_LESSON_H
#define BINDCTL_LESSON_H

#include "pure/learn.h"
#include "pure/policy.h"

/* What there is to tell of a rule besides itself. */
struct bc_lesson {
	struct bc_sightings sightings;
	enum bc_fate fate; /* unless BC_FATE_PASSED, the rule is a proposal, to be written as a comment */
	bool range;	   /* the kernel was to choose the port: the rule is wider than what was seen */
	bool v4_side;	   /* some of them asked for [::], and the rule is about the IPv4 port that they took along */
	const char *by;	   /* the rule that refused or rewrote them, in words; owned by the struct bc_learn; or NULL */
};

/* The rule with its comment, in lines of policy. */
void bc_lesson_format(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule,
		      const struct bc_lesson *lesson);

#endif
