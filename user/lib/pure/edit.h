/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to the text of a policy file that leave every other line, comment and blank as it was. */
#ifndef BINDCTL_EDIT_H
#define BINDCTL_EDIT_H

#include "base/error.h"
#include "pure/policy.h"

/* What becomes of one line. */
struct bc_line_edit {
	unsigned line;	    /* from 1 */
	const char *clause; /* the clause whose value changes; NULL: remove the line */
	char *value;	    /* the new one, as one word; owned by whoever made the edit */
};

/* The text with one more line. `rule` has no newline. 0 or -ENOMEM. */
int bc_edit_append(const char *text, size_t len, const char *rule, struct bc_text *ret);

/* The text with the edits applied, which are in order of line. The lines must hold rules. 0 or -ENOMEM, -EINVAL. */
int bc_edit_lines(const char *text, size_t len, const struct bc_line_edit *edits, size_t n, struct bc_text *ret);

/*
 * The text without the rules that have expired at `now`, and with every time that counts from when the file was
 * written (`base`) as the moment that it means: the file is about to be written again. *ret_pruned is the number of
 * rules that went. The text must parse. 0 or -errno.
 */
int bc_edit_tidy(const char *text, size_t len, int64_t base, int64_t now, struct bc_text *ret, size_t *ret_pruned);

#endif
