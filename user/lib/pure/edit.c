// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/clause.h"
#include "pure/edit.h"
#include "pure/moment.h"

int bc_edit_append(const char *text, size_t len, const char *rule, struct bc_text *ret)
{
	bc_text_add(ret, text, len);
	/* Not into a comment that somebody left without a newline. */
	if (len && text[len - 1] != '\n')
		bc_text_add(ret, "\n", 1);
	bc_text_addf(ret, "%s\n", rule);
	return ret->failed ? -ENOMEM : 0;
}

/* The line with another value of one clause; blanks and comment stay. `len` excludes the newline. */
static int edit_value(const char *line, size_t len, const struct bc_line_edit *edit, struct bc_text *ret)
{
	const struct bc_place place = { .source = "" };
	char buffer[BC_LINE_MAX + 1];
	struct bc_word words[BC_WORDS_MAX];
	struct bc_error error;
	int n = bc_split_line(&place, line, len, buffer, words, &error);

	/* A clause at a time, so a user named "port" is not mistaken for the clause. */
	for (int i = 1; i + 1 < n; i += bc_clause_words(words, n, i)) {
		size_t from = words[i + 1].column - 1, to = from;

		if (!bc_word_is(&words[i], edit->clause))
			continue;
		/* The word as it stands in the line; no value that is changed here holds an escape. */
		to += words[i + 1].len + (line[from] == '"' ? 2 : 0);
		bc_text_add(ret, line, from);
		bc_text_addf(ret, "%s", edit->value);
		bc_text_add(ret, line + to, len - to);
		return 0;
	}
	return -EINVAL;
}

int bc_edit_lines(const char *text, size_t len, const struct bc_line_edit *edits, size_t n, struct bc_text *ret)
{
	unsigned number = 1;

	for (const char *line = text, *end = text + len; line < end; number++) {
		const char *newline = memchr(line, '\n', end - line);
		const char *next = newline ? newline + 1 : end;

		if (n && edits->line == number) {
			if (edits->clause) {
				int r = edit_value(line, (newline ? newline : end) - line, edits, ret);

				if (r)
					return r;
				bc_text_add(ret, "\n", 1);
			}
			edits++;
			n--;
		} else {
			bc_text_add(ret, line, next - line);
		}
		line = next;
	}
	/* An emptied file is an empty text, not none. */
	bc_text_add(ret, "", 0);
	if (ret->failed)
		return -ENOMEM;
	return n ? -EINVAL : 0;
}

static void edits_done(struct bc_line_edit *edits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(edits[i].value);
	free(edits);
}

int bc_edit_tidy(const char *text, size_t len, int64_t base, int64_t now, struct bc_text *ret, size_t *ret_pruned)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	struct bc_line_edit *edits = NULL;
	size_t n = 0, room = 0, pruned = 0;
	int r = bc_parse(&policy, "", text, len, base, &report);

	for (size_t i = 0; !r && i < policy.n; i++) {
		const struct bc_rule *rule = &policy.rules[i];
		bool expired = rule->clauses & BC_CLAUSE_UNTIL && rule->until <= now;
		struct bc_text value = {};

		if (!expired && !rule->relative)
			continue;
		if (!expired)
			bc_format_moment(&value, rule->until);
		pruned += expired;
		if (value.failed || bc_grow(&edits, &room, n + 1)) {
			bc_text_done(&value);
			r = -ENOMEM;
			break;
		}
		edits[n++] = (struct bc_line_edit){ rule->line, expired ? NULL : "until", value.data };
	}
	if (!r)
		r = bc_edit_lines(text, len, edits, n, ret);
	edits_done(edits, n);
	if (!r)
		*ret_pruned = pruned;
	return r;
}
