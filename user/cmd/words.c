// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/words.h"
#include "host/clock.h"
#include "pure/clause.h"
#include "pure/moment.h"

struct words {
	struct bc_word items[BC_WORDS_MAX];
	size_t n;
};

/* `argument`: the whole one that the word is a part of. */
static void add_word(struct words *words, const char *text, size_t len, const char *argument)
{
	if (words->n < BC_WORDS_MAX)
		words->items[words->n++] = (struct bc_word){ .text = text, .len = len, .argument = argument };
}

static void add_string(struct words *words, const char *text)
{
	add_word(words, text, strlen(text), NULL);
}

/* How a subject is written on the command line, and the clause that it stands for. Anything else is a user. */
static const struct {
	const char *prefix;
	const char *clause;
} subjects[] = {
	{ "@", "group" },
	{ "unit:", "unit" },
	{ "cgroup:", "cgroup" },
	{ "", "user" },
};

static const char *subject_clause(const char *subject, const char **ret_name)
{
	for (size_t i = 0;; i++) {
		size_t len = strlen(subjects[i].prefix);

		if (strncmp(subject, subjects[i].prefix, len))
			continue;
		*ret_name = subject + len;
		return subjects[i].clause;
	}
}

static void add_subject(struct words *words, const char *subject)
{
	const char *name, *clause = subject_clause(subject, &name);

	if (!strcmp(subject, "any"))
		return;
	add_word(words, clause, strlen(clause), subject);
	add_word(words, name, strlen(name), subject);
}

/* PORTS is a list, with a protocol behind a slash or none. */
static void add_ports(struct words *words, const char *ports)
{
	const char *slash = strrchr(ports, '/');

	add_word(words, "port", 4, ports);
	add_word(words, ports, slash ? (size_t)(slash - ports) : strlen(ports), ports);
	if (slash) {
		add_word(words, "proto", 5, ports);
		add_word(words, slash + 1, strlen(slash + 1), ports);
	}
}

/* The first of the findings, as one about the arguments; warnings are said at once. */
static int resolve(struct bc_policy *policy, const struct arguments *arguments, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	int r = bc_resolve(policy, &host_names, arguments->unknown_too ? BC_ERROR : BC_WARNING, &report);
	char argument[128];

	if (!report.n)
		return r ? bc_fail_errno(reterr, r, "cannot look up '%s'", arguments->argv[0]) : 0;
	snprintf(argument, sizeof(argument), "argument '%s'", arguments->argv[0]);
	if (r)
		return bc_fail_at(reterr, r, argument, 0, 0, "%s", report.items[0].text);
	say_report(&report);
	return 0;
}

/* --for is a clause by another name. *ret_until, malloc'ed, is the clause's value; NULL when there is no --for. */
static int read_duration(const struct arguments *arguments, char **ret_until, struct bc_error *reterr)
{
	const char *duration = arguments->duration;
	char text[256];
	int64_t ns;

	if (!duration)
		return 0;
	if (bc_parse_duration(duration, strlen(duration), &ns, text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "--for: %s", text);
	return asprintf(ret_until, "+%s", duration) < 0 ? bc_fail(reterr, -ENOMEM, "out of memory") : 0;
}

/* What is over cannot be meant; the edit would take it out of the file again at once. */
static int check_until(const struct bc_policy *policy, struct bc_error *reterr)
{
	const struct bc_rule *rule = &policy->rules[0];
	_cleanup_(bc_text_done) struct bc_text text = {};

	if (!(rule->clauses & BC_CLAUSE_UNTIL) || rule->until > bc_now())
		return 0;
	bc_format_moment(&text, rule->until);
	return bc_fail(reterr, -EINVAL, "the rule would never hold: its 'until', %s, is over",
		       text.failed ? "" : text.data);
}

/* `any` is a subject as good as another: a clause that names one contradicts it. */
static int check_subject(const struct words *words, const char *subject, struct bc_error *reterr)
{
	const struct bc_word *items = words->items;

	for (size_t i = 1; !strcmp(subject, "any") && i < words->n; i += bc_clause_words(items, words->n, i))
		if (bc_word_is(&items[i], "user") || bc_word_is(&items[i], "group"))
			return bc_fail_at(reterr, -EINVAL,
					  bc_word_is(&items[i], "user") ? "argument 'user'" : "argument 'group'", 0, 0,
					  "a second subject in one rule");
	return 0;
}

int parse_arguments(struct bc_policy *policy, const struct arguments *arguments, struct bc_error *reterr)
{
	/* To the next whole second: what is written down is easier to read. */
	const struct bc_place place = { .base = (bc_now() / BC_SECOND + 1) * BC_SECOND };
	_cleanup_free_ char *until = NULL;
	char **argv = arguments->argv;
	struct words words = {};
	uint32_t source;
	int r = read_duration(arguments, &until, reterr);

	if (r)
		return r;
	add_string(&words, arguments->verb);
	add_subject(&words, argv[0]);
	add_ports(&words, argv[1]);
	for (int i = 2; i < arguments->argc; i++)
		add_string(&words, argv[i]);
	if (until) {
		add_word(&words, "until", 5, "--for");
		add_word(&words, until, strlen(until), arguments->duration);
	}
	r = bc_policy_source(policy, "", &source);
	if (r)
		return bc_fail_errno(reterr, r, "cannot read the arguments");
	r = check_subject(&words, argv[0], reterr);
	if (!r)
		r = bc_parse_words(policy, &place, words.items, words.n, reterr);
	if (!r && !arguments->unknown_too)
		r = check_until(policy, reterr);
	if (!r)
		r = resolve(policy, arguments, reterr);
	/* What is counted from now is written down as the moment that it is. */
	if (policy->n)
		policy->rules[0].relative = false;
	return r == -ENOENT && arguments->unknown_too ? 0 : r;
}
