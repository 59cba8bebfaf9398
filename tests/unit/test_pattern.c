// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/pattern.h"
#include "unit.h"

static void parse_ranges(const char *ports, struct bc_policy *policy)
{
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text, "grant port %s\n", ports) > 0);
	policy_from_text(policy, text);
}

static void ports_are_subtracted(void **state)
{
	static const struct {
		const char *rule, *pattern, *left;
		int result;
	} cases[] = {
		{ "80", "80", "", 0 },
		{ "80,443", "80", "443", 0 },
		{ "80,443", "443", "80", 0 },
		{ "80,443", "443,80", "", 0 },
		{ "80-90", "85", "80-84,86-90", 0 },
		{ "80-90", "80", "81-90", 0 },
		{ "80-90", "90", "80-89", 0 },
		{ "80-90", "1-85", "86-90", 0 },
		{ "80-90", "85-100", "80-84", 0 },
		{ "80-90", "1-65535", "", 0 },
		{ "80-90", "any", "", 0 },
		{ "80-90,100-110", "85-105", "80-84,106-110", 0 },
		{ "1-65535", "1,3,5,65535", "2,4,6-65534", 0 },
		{ "80-90", "82,84,86", "80-81,83,85,87-90", 0 },
		{ "any", "any", "", 0 },
		{ "any", "80", "", -ERANGE },
		{ "any", "1-65535", "", -ERANGE },
		{ "80", "81", "", -ENOENT },
		{ "80,82", "81,83-100", "", -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_policy_done) struct bc_policy rule = {}, pattern = {};
		_cleanup_(bc_text_done) struct bc_text text = {};
		_cleanup_free_ struct bc_range *ranges = NULL;
		size_t n = 0;

		parse_ranges(cases[i].rule, &rule);
		parse_ranges(cases[i].pattern, &pattern);
		assert_int_equal(
			bc_rule_subtract(rule.ranges, rule.nranges, pattern.ranges, pattern.nranges, &ranges, &n),
			cases[i].result);
		bc_text_add(&text, "", 0);
		bc_format_ports(&text, ranges, n);
		assert_string_equal(text.data, cases[i].left);
	}
}

static void subtraction_agrees_port_by_port(void **state)
{
	uint64_t seed = 0x5ab;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct bc_range in[2][8];
		_cleanup_free_ struct bc_range *got = NULL;
		bool has[2][256] = {}, have[256] = {};
		size_t n[2] = {}, ngot = 0;
		int r;

		for (int w = 0; w < 2; w++) {
			unsigned port = 0;

			for (; n[w] < 1 + random_below(&seed, 8) && port < 200; n[w]++) {
				unsigned first = port + 1 + random_below(&seed, 9);

				port = first + random_below(&seed, 12);
				in[w][n[w]] = (struct bc_range){ first, port };
				for (unsigned p = first; p <= port; p++)
					has[w][p] = true;
			}
		}
		r = bc_rule_subtract(in[0], n[0], in[1], n[1], &got, &ngot);
		for (size_t i = 0; !r && i < ngot; i++)
			for (unsigned p = got[i].first; p <= got[i].last; p++)
				have[p] = true;
		for (unsigned p = 0; p < 256; p++) {
			assert_false(r && has[0][p] && has[1][p]);
			if (!r)
				assert_int_equal(have[p], has[0][p] && !has[1][p]);
		}
		assert_true(!r || r == -ENOENT);
	}
}

static const struct {
	const char *pattern, *rule;
	bool matches;
} patterns[] = {
	{ "deny port 1\n", "grant port 2\n", true },
	{ "deny port 1\n", "grant user alice port 1\n", false },
	{ "deny user alice port 1\n", "grant port 1\n", false },
	{ "deny user alice port 1\n", "grant user 1000 port 1 proto tcp addr ::1 netns any\n", true },
	{ "deny user alice port 1\n", "grant user bob port 1\n", false },
	{ "deny port 1 proto tcp\n", "grant port 1 proto tcp\n", true },
	{ "deny port 1 proto tcp\n", "grant port 1 proto udp\n", false },
	{ "deny port 1 proto tcp\n", "grant port 1\n", false },
	{ "deny port 1 addr 10.0.0.0/8\n", "grant port 1 addr ::ffff:10.0.0.0/104\n", true },
	{ "deny port 1 addr 10.0.0.0/8\n", "grant port 1 addr 10.0.0.0/9\n", false },
	{ "deny port 1 addr 10.0.0.0/8\n", "grant port 1 addr 11.0.0.0/8\n", false },
	{ "deny port 1 addr ::/0\n", "grant port 1\n", false },
	{ "deny port 1 netns any\n", "grant port 1 netns any\n", true },
	{ "deny port 1 netns any\n", "grant port 1\n", false },
	{ "deny port 1 netns host\n", "grant port 1\n", true },
	{ "deny port 1 netns host\n", "grant port 1 netns any\n", false },
	{ "deny port 1 errno EPERM\n", "deny port 1 errno EPERM\n", true },
	{ "deny port 1 errno EPERM\n", "deny port 1\n", false },
	{ "deny port 1 errno EACCES\n", "deny port 1\n", true },
	{ "deny port 1 errno EACCES\n", "grant port 1\n", false },
	{ "deny group web port 1\n", "grant group 2001 port 1\n", true },
	{ "deny group 1000 port 1\n", "grant user 1000 port 1\n", false },
	{ "deny group 5 port 1\n", "grant group 6 port 1\n", false },
	{ "deny port 1\n", "grant cgroup /a port 1\n", false },
	{ "deny cgroup /a port 1\n", "grant port 1\n", false },
	{ "deny cgroup /a port 1\n", "grant cgroup /a port 1 log\n", true },
	{ "deny cgroup /a port 1\n", "grant cgroup /a/b port 1\n", false },
	{ "deny cgroup / port 1\n", "grant port 1\n", true },
	{ "deny unit a.service port 1\n", "grant cgroup /system.slice/a.service port 1\n", true },
	{ "deny unit a.service port 1\n", "grant unit b.service port 1\n", false },
	{ "deny unit a.service user 5 port 1\n", "grant unit a.service port 1\n", false },
	{ "rewrite port 1 to :2\n", "rewrite port 1 to :2 hidden\n", true },
	{ "rewrite port 1 to :2 hidden\n", "rewrite port 1 to :2\n", false },
	{ "rewrite port 1 to :2\n", "rewrite port 1 to :3\n", false },
	{ "rewrite port 1 to :2\n", "rewrite port 1 to [::1]:2\n", false },
	{ "rewrite port 1 to ::1\n", "rewrite port 1 to ::2\n", false },
	{ "rewrite port 1 to 10.0.0.1:2\n", "rewrite port 1 to [::ffff:10.0.0.1]:2\n", true },
	{ "rewrite port 1 to ::\n", "rewrite port 1 to :2\n", false },
	{ "rewrite port 1 to :2\n", "grant port 1\n", false },
	{ "grant port 1\n", "rewrite port 1 to :2\n", true },
	{ "grant port 1 until +1h\n", "grant port 1 until 1970-01-01T01:00:00Z\n", true },
	{ "grant port 1 until +1h\n", "grant port 1 until +2h\n", false },
	{ "grant port 1 until +1h\n", "grant port 1\n", false },
	{ "grant port 1\n", "grant port 1 until +1h\n", true },
	{ "deny port 1 log\n", "deny port 1 log audit\n", true },
	{ "deny port 1 log\n", "deny port 1 audit\n", false },
	{ "deny port 1 audit\n", "deny port 1\n", false },
	{ "deny port 1 errno EPERM\n", "reserve user 5 port 1 errno EPERM\n", false },
	{ "deny user 5 port 1 errno EPERM\n", "reserve user 5 port 1 errno EPERM\n", true },
};

static void pattern_speaks_of_rules_with_all_its_clauses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		_cleanup_(bc_policy_done) struct bc_policy pattern = {}, rule = {};

		policy_from_text(&pattern, patterns[i].pattern);
		policy_from_text(&rule, patterns[i].rule);
		if (bc_rule_matches(&pattern, &pattern.rules[0], &rule, &rule.rules[0]) != patterns[i].matches)
			fail_msg("%sagainst %s", patterns[i].pattern, patterns[i].rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_subtracted),
		cmocka_unit_test(subtraction_agrees_port_by_port),
		cmocka_unit_test(pattern_speaks_of_rules_with_all_its_clauses),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
