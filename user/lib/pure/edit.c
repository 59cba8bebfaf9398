// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/edit.h"
#include "pure/parse.h"

int bc_edit_append(const char *text, size_t len, const char *rule, struct bc_text *ret)
{
	bc_text_add(ret, text, len);
	/* Not into a comment that somebody left without a newline. */
	if (len && text[len - 1] != '\n')
		bc_text_add(ret, "\n", 1);
	bc_text_addf(ret, "%s\n", rule);
	return ret->failed ? -ENOMEM : 0;
}

/* The line with other ports in the place of its own; blanks and comment stay. `len` excludes the newline. */
static int edit_ports(const char *line, size_t len, const struct bc_line_edit *edit, struct bc_text *ret)
{
	const struct bc_place place = { .source = "" };
	char buffer[BC_LINE_MAX + 1];
	struct bc_word words[BC_WORDS_MAX];
	struct bc_error error;
	int n = bc_split_line(&place, line, len, buffer, words, &error);

	/* Clauses come in pairs behind the verb, so a user named "port" is not mistaken for the clause. */
	for (int i = 1; i + 1 < n; i += 2) {
		const struct bc_word *word = &words[i + 1];

		if (words[i].len != 4 || memcmp(words[i].text, "port", 4))
			continue;
		bc_text_add(ret, line, word->column - 1);
		bc_format_ports(ret, edit->ranges, edit->nranges);
		/* A quoted list is two bytes longer in the line than as a word; no list holds an escape. */
		if (line[word->column - 1] == '"')
			len -= 2, line += 2;
		bc_text_add(ret, line + word->column - 1 + word->len, len - (word->column - 1) - word->len);
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
			if (edits->ranges) {
				int r = edit_ports(line, (newline ? newline : end) - line, edits, ret);

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

bool bc_rule_matches(const struct bc_rule *pattern, const struct bc_rule *rule)
{
	if (pattern->kind != rule->kind || pattern->id != rule->id || pattern->scope != rule->scope)
		return false;
	if (pattern->clauses & BC_CLAUSE_PROTO && (!(rule->clauses & BC_CLAUSE_PROTO) || pattern->proto != rule->proto))
		return false;
	if (pattern->clauses & BC_CLAUSE_ADDR &&
	    (!(rule->clauses & BC_CLAUSE_ADDR) || pattern->v4 != rule->v4 || pattern->prefix != rule->prefix ||
	     memcmp(pattern->addr, rule->addr, sizeof(rule->addr))))
		return false;
	if (pattern->clauses & BC_CLAUSE_NETNS && pattern->any_netns != rule->any_netns)
		return false;
	return !(pattern->clauses & BC_CLAUSE_ERRNO) || (rule->verb == BC_VERB_DENY && pattern->err == rule->err);
}

static bool is_any(const struct bc_range *ranges, size_t n)
{
	return n == 1 && ranges[0].first == 0 && ranges[0].last == UINT16_MAX;
}

int bc_rule_subtract(const struct bc_range *rule, size_t nrule, const struct bc_range *pattern, size_t npattern,
		     struct bc_range **ret, size_t *ret_n)
{
	/* Each range of the pattern can part one range of the rule in two. */
	_cleanup_free_ struct bc_range *left = calloc(nrule + npattern + 1, sizeof(*left));
	bool shared = false;
	size_t n = 0;

	if (!left)
		return -ENOMEM;
	if (is_any(rule, nrule) && !is_any(pattern, npattern))
		return -ERANGE;
	for (size_t i = 0; i < nrule; i++) {
		unsigned first = rule[i].first, last = rule[i].last;

		for (size_t k = 0; k < npattern && first <= last; k++) {
			if (pattern[k].last < first || pattern[k].first > last)
				continue;
			shared = true;
			if (pattern[k].first > first)
				left[n++] = (struct bc_range){ first, pattern[k].first - 1 };
			first = pattern[k].last + 1u;
		}
		if (first <= last)
			left[n++] = (struct bc_range){ first, last };
	}
	if (!shared)
		return -ENOENT;
	*ret = TAKE_PTR(left);
	*ret_n = n;
	return 0;
}
