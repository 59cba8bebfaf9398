// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/words.h"
#include "host/names.h"
#include "pure/parse.h"

struct words {
	struct bc_word items[BC_WORDS_MAX];
	size_t n;
};

static void add_word(struct words *words, const char *text, size_t len)
{
	if (words->n < BC_WORDS_MAX)
		words->items[words->n++] = (struct bc_word){ .text = text, .len = len };
}

static void add_string(struct words *words, const char *text)
{
	add_word(words, text, strlen(text));
}

/* PORTS is a list, with a protocol behind a slash or none. */
static void add_ports(struct words *words, const char *ports)
{
	const char *slash = strrchr(ports, '/');
	size_t from = words->n;

	add_string(words, "port");
	add_word(words, ports, slash ? (size_t)(slash - ports) : strlen(ports));
	if (slash) {
		add_string(words, "proto");
		add_string(words, slash + 1);
	}
	for (size_t i = from; i < words->n && i < BC_WORDS_MAX; i++)
		words->items[i].argument = ports;
}

static int resolve(struct bc_policy *policy, const char *subject, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	int r = bc_resolve(policy, &bc_host_names, BC_ERROR, &report);

	if (r && report.n) {
		char argument[128];

		snprintf(argument, sizeof(argument), "argument '%s'", subject);
		return bc_fail_at(reterr, r, argument, 0, 0, "%s", report.items[0].text);
	}
	return r ? bc_fail_errno(reterr, r, "cannot look up '%s'", subject) : 0;
}

/* `any` is a subject as good as another: a clause that names one contradicts it. */
static int check_subject(const char *subject, int argc, char **argv, struct bc_error *reterr)
{
	for (int i = 0; !strcmp(subject, "any") && i < argc; i += 2)
		if (!strcmp(argv[i], "user"))
			return bc_fail_at(reterr, -EINVAL, "argument 'user'", 0, 0, "a second subject in one rule");
	return 0;
}

int parse_arguments(struct bc_policy *policy, const char *verb, int argc, char **argv, bool unknown_too,
		    struct bc_error *reterr)
{
	const struct bc_place place = {};
	struct words words = {};
	uint32_t source;
	int r;

	add_string(&words, verb);
	if (strcmp(argv[0], "any")) {
		add_string(&words, "user");
		add_string(&words, argv[0]);
	}
	add_ports(&words, argv[1]);
	for (int i = 2; i < argc; i++)
		add_string(&words, argv[i]);
	r = bc_policy_source(policy, "", &source);
	if (r)
		return bc_fail_errno(reterr, r, "cannot read the arguments");
	r = check_subject(argv[0], argc - 2, argv + 2, reterr);
	if (!r)
		r = bc_parse_words(policy, &place, words.items, words.n, reterr);
	if (!r)
		r = resolve(policy, argv[0], reterr);
	return r == -ENOENT && unknown_too ? 0 : r;
}
