/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that permit what pure/learn.h has seen, and nothing else; and why each of them is there. */
#ifndef BINDCTL_LEARNED_H
#define BINDCTL_LEARNED_H

#include "base/error.h"
#include "pure/lesson.h"

/* Owns everything but what `by` points to. Zero-initialised is empty. */
struct bc_learned {
	struct bc_policy policy;
	struct bc_lesson *lessons; /* one for each rule */
	size_t room;
};

/* What the rules are to be like. */
struct bc_learned_form {
	const char *cgroup;	     /* all of them are about that one; NULL: none */
	struct bc_range chosen;	     /* what the kernel chooses ports from */
	char *(*user)(uint32_t uid); /* a user's name, malloc'ed; NULL when there is none */
};

void bc_learned_done(struct bc_learned *learned);

/* Makes the rules, those that permit first. 0, or -errno with a sentence: -E2BIG when one would be too long for a line. */
int bc_learned_make(const struct bc_learn *learn, const struct bc_learned_form *form, struct bc_learned *ret,
		    struct bc_error *reterr);

#endif
