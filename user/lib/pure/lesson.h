/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to tell of a rule that was learned, and how it is written down with it. */
#ifndef BINDCTL_LESSON_H
#define BINDCTL_LESSON_H

#include "pure/learn.h"
#include "pure/policy.h"

/* What a rule is about for a bind's sake. All but the first is more than was seen. */
enum bc_width {
	BC_WIDTH_ONE,	 /* the port */
	BC_WIDTH_CHOSEN, /* whatever the kernel chooses */
	BC_WIDTH_ANY,	 /* the request itself to choose one, which no other rule matches */
};

/* What there is to tell of a rule besides itself. */
struct bc_lesson {
	struct bc_sightings sightings;
	enum bc_fate fate; /* unless BC_FATE_PASSED, the rule is a proposal, to be written as a comment */
	enum bc_width width;
	bool v4_side;	/* some of them asked for [::], and the rule is about the IPv4 port that they took along */
	const char *by; /* the rule that refused or rewrote them, in words; owned by the struct bc_learn; or NULL */
};

/* The rule with its comment, in lines of policy. */
void bc_lesson_format(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule,
		      const struct bc_lesson *lesson);

#endif
