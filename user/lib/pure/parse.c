// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "pure/clause.h"
#include "pure/parse.h"
#include "pure/unseen.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Refuses what no text has: NUL, CR and other control bytes. */
static int check_bytes(const struct bc_place *place, const char *line, size_t len, struct bc_error *reterr)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = line[i];

		if ((c >= 0x20 && c != 0x7f) || c == '\t')
			continue;
		if (c == '\r' && i + 1 == len)
			return bc_fail_at(reterr, -EINVAL, place->source, place->line, i + 1,
					  "the line ends in CR LF; convert the file to plain newlines");
		return bc_fail_at(reterr, -EINVAL, place->source, place->line, i + 1,
				  "byte 0x%02x does not belong in a policy; is this a text file?", c);
	}
	return 0;
}

/*
 * Reads a quoted word from `line` at *at (behind the quote) into `to`; the length, or -EINVAL. A tab does not belong
 * there: no image holds such a name.
 */
static int unquote(const char *line, size_t len, size_t *at, char *to)
{
	size_t n = 0;

	for (; *at < len && line[*at] != '"'; (*at)++) {
		if (line[*at] == '\\') {
			(*at)++;
			if (*at == len || (line[*at] != '"' && line[*at] != '\\'))
				return -EINVAL;
		}
		if (line[*at] == '\t')
			return -EINVAL;
		to[n++] = line[*at];
	}
	if (*at == len)
		return -EINVAL;
	(*at)++;
	return n;
}

int bc_split_line(const struct bc_place *place, const char *line, size_t len, char *buffer, struct bc_word *words,
		  struct bc_error *reterr)
{
	size_t at = 0, used = 0;
	int n = 0;

	if (len > BC_LINE_MAX)
		return bc_fail_at(reterr, -EINVAL, place->source, place->line, BC_LINE_MAX + 1,
				  "the line is longer than %d bytes", BC_LINE_MAX);
	if (check_bytes(place, line, len, reterr))
		return -EINVAL;
	for (;;) {
		struct bc_word word = {};

		while (at < len && is_blank(line[at]))
			at++;
		if (at == len || line[at] == '#')
			return n;
		word.column = at + 1;
		word.text = line + at;
		if (n == BC_WORDS_MAX)
			return bc_fail_at(reterr, -EINVAL, place->source, place->line, word.column,
					  "more than %d words in a rule", BC_WORDS_MAX);
		if (line[at] == '"') {
			int got;

			at++;
			got = unquote(line, len, &at, buffer + used);
			if (got < 0 || (at < len && !is_blank(line[at])))
				return bc_fail_at(reterr, -EINVAL, place->source, place->line, word.column,
						  "a quoted word ends in \" before a blank, and holds no tab, and \\ "
						  "only in \\\" and \\\\");
			word.text = buffer + used;
			word.len = got;
			used += got;
		} else {
			while (at < len && !is_blank(line[at]))
				at++;
			word.len = line + at - word.text;
		}
		words[n++] = word;
	}
}

static int parse_verb(const struct bc_place *place, const struct bc_word *word, struct bc_rule *rule,
		      struct bc_error *reterr)
{
	for (enum bc_verb verb = BC_VERB_GRANT; verb <= BC_VERB_RESERVE; verb++) {
		if (bc_word_is(word, bc_verb_name(verb))) {
			rule->verb = verb;
			return 0;
		}
	}
	return bc_clause_fail(place, word, reterr, "unknown verb '%.*s' (grant, allow, deny, rewrite or reserve)",
			      bc_word_precision(word), word->text);
}

static const struct requirement {
	uint32_t clause;
	uint32_t verbs; /* bits by enum bc_verb */
	const char *name;
	const char *belongs;
} requirements[] = {
	{ BC_CLAUSE_ERRNO, 1u << BC_VERB_DENY | 1u << BC_VERB_RESERVE, "errno", "a deny or a reserve" },
	{ BC_CLAUSE_AUDIT, 1u << BC_VERB_DENY | 1u << BC_VERB_RESERVE, "audit", "a deny or a reserve" },
	{ BC_CLAUSE_TO, 1u << BC_VERB_REWRITE, "to", "a rewrite" },
};

static int fail_rule(const struct bc_place *place, unsigned column, struct bc_error *reterr, const char *text)
{
	return bc_fail_at(reterr, -EINVAL, place->source, place->line, place->line ? column : 0, "%s", text);
}

/* What a whole rule must have, whatever its clauses were. */
static int check_rule(const struct bc_place *place, const struct bc_word *words, size_t n, const struct bc_rule *rule,
		      struct bc_error *reterr)
{
	const uint32_t subjects = BC_CLAUSE_USER | BC_CLAUSE_GROUP | BC_CLAUSE_UNIT | BC_CLAUSE_CGROUP;
	unsigned first = words[0].column, end = words[n - 1].column + words[n - 1].len;

	if (!(rule->clauses & BC_CLAUSE_PORT))
		return fail_rule(place, end, reterr, "the rule names no port: add 'port N' or 'port any'");
	if (rule->verb == BC_VERB_REWRITE && !(rule->clauses & BC_CLAUSE_TO))
		return fail_rule(place, end, reterr, "the rewrite leads nowhere: add 'to [IP][:PORT]'");
	if (rule->verb == BC_VERB_RESERVE && !(rule->clauses & subjects))
		return fail_rule(place, end, reterr,
				 "the reserve is for nobody: add 'user', 'group', 'unit' or 'cgroup'");
	if (rule->clauses & BC_CLAUSE_USER && rule->clauses & BC_CLAUSE_GROUP)
		return fail_rule(place, first, reterr, "a rule names a user or a group, not both");
	if (rule->clauses & BC_CLAUSE_UNIT && rule->clauses & BC_CLAUSE_CGROUP)
		return fail_rule(place, first, reterr, "a rule names a unit or a cgroup, not both");
	for (size_t i = 0; i < ARRAY_SIZE(requirements); i++)
		if (rule->clauses & requirements[i].clause && !(requirements[i].verbs >> rule->verb & 1))
			return bc_fail_at(reterr, -EINVAL, place->source, place->line, first,
					  "'%s' belongs to %s, not to '%s'", requirements[i].name,
					  requirements[i].belongs, bc_verb_name(rule->verb));
	return 0;
}

/* Arguments become a line of a file: what a line could not hold, or would end it, must not pass. */
static int check_arguments(const struct bc_place *place, const struct bc_word *words, size_t n, struct bc_error *reterr)
{
	if (place->line)
		return 0;
	for (size_t w = 0; w < n; w++)
		for (size_t i = 0; i < words[w].len; i++)
			if ((unsigned char)words[w].text[i] < 0x20 || words[w].text[i] == 0x7f)
				return bc_clause_fail(place, &words[w], reterr,
						      "control bytes do not belong in a rule");
	return 0;
}

/* A rule of arguments becomes a line of a file. */
static int check_length(const struct bc_policy *policy, const struct bc_rule *rule, struct bc_error *reterr)
{
	_cleanup_(bc_text_done) struct bc_text line = {};

	bc_format_rule(&line, policy, rule);
	if (line.failed)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	if (line.len > BC_LINE_MAX)
		return bc_fail(reterr, -EINVAL, "the rule would be longer than a line's %d bytes", BC_LINE_MAX);
	return 0;
}

int bc_parse_words(struct bc_policy *policy, const struct bc_place *place, const struct bc_word *words, size_t n,
		   struct bc_error *reterr)
{
	struct bc_rule rule = {
		.kind = BC_ANYONE,
		.proto = BC_TCP | BC_UDP,
		.err = EACCES,
		.source = place->number,
		.line = place->line,
		.ranges = policy->nranges,
	};
	size_t nranges = policy->nranges;
	int r;

	r = check_arguments(place, words, n, reterr);
	if (!r)
		r = parse_verb(place, &words[0], &rule, reterr);
	for (size_t at = 1; !r && at < n; at++)
		r = bc_clause_parse(policy, place, words, n, &at, &rule, reterr);
	if (!r)
		r = check_rule(place, words, n, &rule, reterr);
	if (!r && place->audit && bc_rule_denies(&rule))
		rule.clauses |= BC_CLAUSE_AUDIT;
	if (!r && !place->line)
		r = check_length(policy, &rule, reterr);
	if (!r && policy->n == BC_RULES_MAX)
		r = bc_fail_at(reterr, -E2BIG, place->source, place->line, 0, "a policy holds at most %u rules",
			       BC_RULES_MAX);
	if (!r && bc_grow(&policy->rules, &policy->room, policy->n + 1))
		r = bc_fail(reterr, -ENOMEM, "out of memory");
	if (r) {
		policy->nranges = nranges;
		return r;
	}
	policy->rules[policy->n++] = rule;
	return 0;
}

/* `mode audit`, which stands before a file's rules or not at all. */
static int parse_mode(struct bc_place *place, const struct bc_word *words, size_t n, bool first,
		      struct bc_error *reterr)
{
	if (!first)
		return bc_clause_fail(place, &words[0], reterr, "'mode' stands before the file's first rule, once");
	if (n != 2 || !bc_word_is(&words[1], "audit"))
		return bc_clause_fail(place, &words[n > 2 ? 2 : n - 1], reterr, "the only mode is 'mode audit'");
	place->audit = true;
	return 0;
}

/* *first: no line of the file said anything so far. */
static int parse_line(struct bc_policy *policy, struct bc_place *place, const char *line, size_t len, bool *first,
		      struct bc_error *reterr)
{
	char buffer[BC_LINE_MAX + 1];
	struct bc_word words[BC_WORDS_MAX];
	int n = bc_split_line(place, line, len, buffer, words, reterr);
	bool was_first = *first;

	if (n == 0)
		return 0;
	*first = false;
	if (n < 0)
		return n;
	if (bc_word_is(&words[0], "mode"))
		return parse_mode(place, words, n, was_first, reterr);
	return bc_parse_words(policy, place, words, n, reterr);
}

int bc_parse(struct bc_policy *policy, const char *source, const char *text, size_t len, int64_t base,
	     struct bc_report *report)
{
	struct bc_place place = { .source = source, .base = base };
	bool first = true, hides = bc_text_hides(text, len);
	int r, result = 0;

	r = bc_policy_source(policy, source, &place.number);
	if (r)
		return r;
	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t line = newline ? (size_t)(newline - text) : len;
		size_t rules = policy->n, ranges = policy->nranges;
		struct bc_error error;

		place.line++;
		r = parse_line(policy, &place, text, line, &first, &error);
		if (!r && bc_line_misleads(&place, text, line, hides, &error))
			bc_report_add(report, &error);
		if (!r && !newline) {
			/* What may be half a rule is none. */
			policy->n = rules;
			policy->nranges = ranges;
			r = bc_fail_at(&error, -EINVAL, source, place.line, line + 1,
				       "no newline at the end of the file; is it cut short?");
		}
		if (r) {
			error.severity = BC_ERROR;
			bc_report_add(report, &error);
			result = -EINVAL;
			if (r != -EINVAL)
				return r;
		}
		text += newline ? line + 1 : line;
		len -= newline ? line + 1 : line;
	}
	return result;
}
