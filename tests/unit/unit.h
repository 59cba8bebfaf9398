// SPDX-License-Identifier: GPL-2.0-or-later
/* What the unit tests share: policies from text, images from policies, questions, and where a fault was found. */
#ifndef BINDCTL_UNIT_H
#define BINDCTL_UNIT_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "pure/compile.h"
#include "pure/decide.h"
#include "pure/inspect.h"
#include "pure/parse.h"
#include "pure/resolve.h"
#include "random.h"

#define SOURCE "web.conf"

static inline int known_users(void *ctx, const char *name, uint32_t *ret_uid)
{
	static const char *const names[] = { "alice", "bob", "carol" };

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i])) {
			*ret_uid = 1000 + i;
			return 0;
		}
	}
	return -ENOENT;
}

static inline int known_groups(void *ctx, const char *name, uint32_t *ret_gid)
{
	static const char *const names[] = { "staff", "web" };

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i])) {
			*ret_gid = 2000 + i;
			return 0;
		}
	}
	return -ENOENT;
}

/* Every unit is in system.slice; all exist but those whose names begin with "ghost". */
static inline int known_units(void *ctx, const char *name, uint32_t uid, char **ret_path, bool *ret_known)
{
	(void)ctx;
	(void)uid;
	if (asprintf(ret_path, "/system.slice/%s", name) < 0)
		return -ENOMEM;
	*ret_known = strncmp(name, "ghost", 5) != 0;
	return 0;
}

/*
 * alice is 1000, bob 1001, carol 1002; nobody else exists. The groups staff and web are 2000 and 2001.
 */
static const struct bc_names unit_names = { .user = known_users, .group = known_groups, .unit = known_units };

/* Parses and resolves; any fault fails the test. */
static inline void policy_from_text(struct bc_policy *policy, const char *text)
{
	struct bc_report report = {};

	if (bc_parse(policy, SOURCE, text, strlen(text), 0, &report) ||
	    bc_resolve(policy, &unit_names, BC_ERROR, &report))
		fail_msg("%u:%u: %s in:\n%s", report.n ? report.items[0].line : 0,
			 report.n ? report.items[0].column : 0, report.n ? report.items[0].text : "?", text);
	bc_report_done(&report);
}

/* Warnings about rules that disagree are thrown away. */
static inline void image_from_policy(struct bc_cells *image, const struct bc_policy *policy)
{
	struct bc_report report = {};
	struct bc_error error = {};

	if (bc_compile(policy, BC_WARNING, image, &report, &error))
		fail_msg("cannot compile: %s", error.text);
	bc_report_done(&report);
}

static inline void image_from_text(struct bc_cells *image, const char *text)
{
	struct bc_policy policy = {};

	policy_from_text(&policy, text);
	image_from_policy(image, &policy);
	bc_policy_done(&policy);
}

/* A TCP bind in the initial network namespace. */
static inline struct bc_question ask(uint32_t uid, unsigned port, const char *addr)
{
	struct bc_question question = { .uid = uid, .port = port, .proto = BC_TCP, .host_netns = true };

	question.v4 = random_addr(addr, question.addr);
	return question;
}

/* Who answers: the verdict, and the line of the rule that gave it (0: no rule). */
static inline void assert_decides(const char *text, struct bc_question question, enum bc_verdict verdict, unsigned line)
{
	struct bc_answer answer = {};
	struct bc_cells image = {};
	unsigned found;

	image_from_text(&image, text);
	assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
	found = answer.rule == BC_RULE_NONE ? 0 : bc_rule_at(&image, answer.rule)->line;
	if (answer.verdict != verdict || found != line)
		fail_msg("uid %u port %u: verdict %d of line %u, not %d of line %u, in:\n%s", question.uid,
			 question.port, answer.verdict, found, verdict, line, text);
	bc_answer_done(&answer);
	bc_cells_done(&image);
}

static inline void assert_contains(const char *text, const char *fragment)
{
	if (!strstr(text, fragment))
		fail_msg("'%s' does not contain '%s'", text, fragment);
}

static inline void assert_fault(const struct bc_error *error, unsigned line, unsigned column, const char *fragment)
{
	if (strcmp(error->source, SOURCE) || error->line != line || error->column != column)
		fail_msg("%s:%u:%u: %s, not at %s:%u:%u", error->source, error->line, error->column, error->text,
			 SOURCE, line, column);
	assert_contains(error->text, fragment);
}

/* Few users, groups, cgroups, ports and addresses, and names of cgroups that begin as others do. */
static const uint32_t random_users[] = { 0, 1, 2, 1000 }, random_groups[] = { 0, 10, 11, 12, 13 };
static const char *const random_names[] = {
	"a",
	"b",
	"system.slice",
	"a.service",
	"x y\\x2d\"z",
	"a23456789012345678901234567890", /* 30 bytes, and then 31, 32, 33 and 64 */
	"a234567890123456789012345678901",
	"a2345678901234567890123456789012",
	"a23456789012345678901234567890123",
	"a2345678901234567890123456789012a2345678901234567890123456789012",
};
static const char *const random_units[] = { "a.service", "b.slice" };
static const uint16_t random_far[] = { 0, 65535, 65534, 1000, 64, 128 };
static const char *const random_prefixes[] = {
	"0.0.0.0/0", "0.0.0.0", "10.0.0.0/8",	 "10.1.0.0/16", "10.1.2.0/25",	 "10.1.2.3",	"::ffff:10.0.0.0/105",
	"::/0",	     "::",	"::ffff:0:0/96", "2001::/16",	"2001:db8::/32", "2001:db8::1", "2001:db8::/65",
};
static const char *const random_addrs[] = {
	"0.0.0.0",  "::",	  "::",		"10.0.0.1",    "10.1.0.1",
	"10.1.2.3", "10.1.2.127", "10.128.0.0", "2001:db8::1", "2001:db8::8000:0:0:0",
	"2001:1::", "::1",
};
static const char *const random_targets[] = { ":8080", "127.0.0.1", "127.0.0.1:80", "::1", "[::1]:81", "[::]:65535" };
static const int64_t random_untils[] = { -3600 * BC_SECOND, -1, 0, 1, 3600 * BC_SECOND };

#define UNIT_NOW (INT64_C(1795514400) * BC_SECOND)

__attribute__((unused)) static const struct random_tables unit_tables = {
	RANDOM_TABLE(users),  RANDOM_TABLE(groups),
	RANDOM_TABLE(names),  RANDOM_TABLE(units),
	RANDOM_TABLE(far),    RANDOM_TABLE(prefixes),
	RANDOM_TABLE(addrs),  RANDOM_TABLE(targets),
	RANDOM_TABLE(untils), .base = "",
	.depth = 3,	      .ports = { 1, 60 },
	.now = UNIT_NOW,      .host = true,
	.other = true,
};

#define ALICE(port) ask(1000, port, "0.0.0.0")

/* As ALICE(80), of those groups and in that cgroup. */
static inline struct bc_question member(uint32_t gid, const uint32_t *groups, size_t n)
{
	struct bc_question question = ALICE(80);

	question.gid = gid;
	question.groups = groups;
	question.ngroups = n;
	return question;
}

static inline struct bc_question within(const char *cgroup)
{
	struct bc_question question = ALICE(80);

	question.cgroup = cgroup;
	return question;
}

/* One fault in one text: where, and a part of what is said. */
struct fault {
	const char *text;
	unsigned line, column;
	const char *fragment;
};

static inline void assert_faults(const struct fault *faults, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_report_done) struct bc_report report = {};
		const struct fault *f = &faults[i];

		if (bc_parse(&policy, SOURCE, f->text, strlen(f->text), 0, &report) != -EINVAL || report.n != 1)
			fail_msg("%zu faults in: %s", report.n, f->text);
		assert_fault(&report.items[0], f->line, f->column, f->fragment);
		assert_int_equal(report.items[0].severity, BC_ERROR);
		assert_int_equal(report.errors, 1);
		assert_int_equal(policy.n, 0);
		assert_int_equal(policy.nranges, 0);
	}
}

#endif
