/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another tool's configuration becomes: rules, where each comes from, and what there is to say of the rest. */
#ifndef BINDCTL_IMPORT_H
#define BINDCTL_IMPORT_H

#include "pure/policy.h"

enum bc_note_kind {
	BC_NOTE_FROM,	 /* the rules behind it come from there */
	BC_NOTE_IGNORED, /* the other tool takes no notice of it either */
	BC_NOTE_LOST,	 /* it does something there that no rule can say */
};

struct bc_note {
	enum bc_note_kind kind;
	size_t rule;	 /* it stands before the rule of that number */
	uint32_t source; /* index into policy.sources */
	unsigned line;	 /* from 1; 0: the source as a whole */
	unsigned column; /* in bytes, from 1; 0: the line as a whole */
	char *text;
};

/*
 * Owns everything. Zero-initialised is empty. What finds no memory, or no more room for sources (-E2BIG), sets `failed`,
 * and nothing is added after that.
 */
struct bc_import {
	struct bc_policy policy; /* resolved, without names */
	struct bc_note *notes;
	size_t n, room;
	size_t lost; /* of the notes, those of that kind */
	int failed;  /* -errno */
};

void bc_import_done(struct bc_import *import);

/* A note at a place. */
void bc_import_note(struct bc_import *import, enum bc_note_kind kind, const char *source, unsigned line,
		    unsigned column, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* A rule with these ranges, ascending and disjoint, from the place of the last note. */
void bc_import_rule(struct bc_import *import, const struct bc_rule *rule, const struct bc_range *ranges, size_t n);

/* Rules and notes as lines of policy. */
void bc_import_format(struct bc_text *text, const struct bc_import *import);

#endif
