// SPDX-License-Identifier: GPL-2.0-or-later
/* The clauses of a rule, one by one. */
#include "pure/clause.h"
#include "unit.h"

static void address_must_be_one(void **state)
{
	static const struct fault faults[] = {
		{ "grant port 1 addr 10.0.0\n", 1, 19, "'10.0.0' is not an IPv4 or IPv6 address" },
		{ "grant port 1 addr 256.0.0.1\n", 1, 19, "'256.0.0.1' is not an IPv4 or IPv6 address" },
		{ "grant port 1 addr localhost\n", 1, 19, "'localhost' is not an IPv4 or IPv6 address" },
		{ "grant port 1 addr fe80::1%eth0\n", 1, 19, "'fe80::1%eth0' is not an IPv4 or IPv6 address" },
		{ "grant port 1 addr [::1]\n", 1, 19, "'[::1]' is not an IPv4 or IPv6 address" },
		{ "grant port 1 addr \"\"\n", 1, 19, "'' is not an IPv4 or IPv6 address" },
		{ "grant port 1 addr /8\n", 1, 19, "'' is not an IPv4 or IPv6 address" },
		{ "grant port 1 addr 10.0.0.0/33\n", 1, 19, "prefix length '33' is not a number from 0 to 32" },
		{ "grant port 1 addr ::/129\n", 1, 19, "prefix length '129' is not a number from 0 to 128" },
		{ "grant port 1 addr 10.0.0.0/\n", 1, 19, "prefix length '' is not a number" },
		{ "grant port 1 addr 10.0.0.0/-1\n", 1, 19, "prefix length '-1' is not a number" },
		{ "grant port 1 addr 10.0.0.0/8/8\n", 1, 19, "prefix length '8/8' is not a number" },
		{ "grant port 1 addr 10.0.0.0/255.0.0.0\n", 1, 19, "prefix length '255.0.0.0' is not a number" },
		{ "grant port 1 addr 10.0.0.1/8\n", 1, 19, "has bits set behind its prefix; did you mean 10.0.0.0/8?" },
		{ "grant port 1 addr 0.0.0.1/0\n", 1, 19, "did you mean 0.0.0.0/0?" },
		{ "grant port 1 addr 2001:db8::1/64\n", 1, 19, "did you mean 2001:db8::/64?" },
		{ "grant port 1 addr 2001:db8:8000::/32\n", 1, 19, "did you mean 2001:db8::/32?" },
		{ "grant port 1 addr ::ffff:10.0.0.1/104\n", 1, 19, "did you mean 10.0.0.0/8?" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void other_clauses_take_only_what_they_know(void **state)
{
	static const struct fault faults[] = {
		{ "grant port 1 proto tpc\n", 1, 20, "unknown protocol 'tpc' (tcp or udp)" },
		{ "grant port 1 proto 6\n", 1, 20, "unknown protocol '6'" },
		{ "grant port 1 netns self\n", 1, 20, "unknown network namespace 'self' (host or any)" },
		{ "deny port 1 errno 13\n", 1, 19, "unknown errno '13' (EACCES, EADDRINUSE, EADDRNOTAVAIL or EPERM)" },
		{ "deny port 1 errno ENOENT\n", 1, 19, "unknown errno 'ENOENT'" },
		{ "  grant port 1 errno EPERM\n", 1, 3, "'errno' belongs to a deny or a reserve, not to 'grant'" },
		{ "allow errno EPERM port 1\n", 1, 1, "'errno' belongs to a deny or a reserve, not to 'allow'" },
		{ "grant user 4294967295 port 1\n", 1, 12, "uid 4294967295 is out of range (0 to 4294967294)" },
		{ "grant user \"\" port 1\n", 1, 12, "a user name has 1 to 255 bytes" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void clause_comes_once_and_with_a_value(void **state)
{
	static const struct fault faults[] = {
		{ "grant port 1 port 2\n", 1, 14, "a second 'port' in one rule" },
		{ "grant user a user a port 2\n", 1, 14, "a second 'user' in one rule" },
		{ "grant port 1 proto tcp proto udp\n", 1, 24, "a second 'proto' in one rule" },
		{ "grant port 1 addr ::1 addr ::2\n", 1, 23, "a second 'addr' in one rule" },
		{ "grant port 1 netns any netns any\n", 1, 24, "a second 'netns' in one rule" },
		{ "deny port 1 errno EPERM errno EPERM\n", 1, 25, "a second 'errno' in one rule" },
		{ "grant port\n", 1, 7, "'port' wants a value" },
		{ "grant port 1 user # who?\n", 1, 14, "'user' wants a value" },
		{ "grant port 1 proto\n", 1, 14, "'proto' wants a value" },
		{ "grant port 1 addr \n", 1, 14, "'addr' wants a value" },
		{ "grant port 1 netns\n", 1, 14, "'netns' wants a value" },
		{ "deny port 1 errno\n", 1, 13, "'errno' wants a value" },
		{ "grant user port 80\n", 1, 17, "unknown clause '80'" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void address_is_told_from_a_wider_prefix(void **state)
{
	static const struct {
		const char *text;
		bool v4;
		unsigned prefix;
		uint32_t addr[4];
	} cases[] = {
		{ "0.0.0.0/0", true, 96, { 0, 0, 0xffff, 0 } },
		{ "::ffff:0:0/96", true, 96, { 0, 0, 0xffff, 0 } },
		{ "::ffff:1.2.3.4", true, 128, { 0, 0, 0xffff, 0x01020304 } },
		{ "::fffe:0:0/95", false, 95, { 0, 0, 0xfffe, 0 } },
		{ "::/0", false, 0, {} },
		{ "::1.2.3.4", false, 128, { 0, 0, 0, 0x01020304 } },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128", false, 128, { ~0u, ~0u, ~0u, ~0u } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bc_word word = { cases[i].text, strlen(cases[i].text), 1 };
		uint32_t addr[4];
		uint8_t prefix;
		char text[256];
		bool v4;

		assert_int_equal(bc_parse_addr(&word, addr, &v4, &prefix, text, sizeof(text)), 0);
		assert_int_equal(v4, cases[i].v4);
		assert_int_equal(prefix, cases[i].prefix);
		assert_memory_equal(addr, cases[i].addr, sizeof(addr));
	}
}

static void longest_name_is_255_bytes(void **state)
{
	char line[512], name[257];

	(void)state;
	memset(name, 'n', sizeof(name));
	for (int len = 255; len <= 256; len++) {
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_report_done) struct bc_report report = {};

		snprintf(line, sizeof(line), "grant user %.*s port 80\n", len, name);
		assert_int_equal(bc_parse(&policy, SOURCE, line, strlen(line), 0, &report), len == 255 ? 0 : -EINVAL);
		if (len == 256)
			assert_fault(&report.items[0], 1, 12, "a user name has 1 to 255 bytes");
	}
}

static void subject_must_be_one_that_can_be(void **state)
{
	static const struct fault faults[] = {
		{ "grant group 4294967295 port 1\n", 1, 13, "gid 4294967295 is out of range (0 to 4294967294)" },
		{ "grant group \"\" port 1\n", 1, 13, "a group name has 1 to 255 bytes" },
		{ "grant group a group b port 1\n", 1, 15, "a second 'group' in one rule" },
		{ "grant port 1 group\n", 1, 14, "'group' wants a value" },
		{ " grant user a port 1 group b\n", 1, 2, "a rule names a user or a group, not both" },
		{ "grant unit nginx port 1\n", 1, 12, "did you mean nginx.service?" },
		{ "grant unit a@.service port 1\n", 1, 12, "template" },
		{ "grant unit \"\" port 1\n", 1, 12, "a unit's name has 1 to 255 bytes" },
		{ "grant unit a.timer port 1\n", 1, 12, "has no cgroup" },
		{ "grant port 1 unit\n", 1, 14, "'unit' wants a value" },
		{ "grant unit a.service unit b.service port 1\n", 1, 22, "a second 'unit' in one rule" },
		{ "  grant unit a.service cgroup /a port 1\n", 1, 3, "a rule names a unit or a cgroup, not both" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void cgroup_must_be_a_path_from_the_root(void **state)
{
	static const char from_root[] = "a cgroup's path begins with /", empty[] = "an empty, '.' or '..' part";
	static const struct fault faults[] = {
		{ "grant cgroup a port 1\n", 1, 14, from_root },
		{ "grant cgroup a/b port 1\n", 1, 14, from_root },
		{ "grant cgroup \"\" port 1\n", 1, 14, from_root },
		{ "grant cgroup . port 1\n", 1, 14, from_root },
		{ "grant cgroup //a port 1\n", 1, 14, empty },
		{ "grant cgroup // port 1\n", 1, 14, empty },
		{ "grant cgroup /a//b port 1\n", 1, 14, empty },
		{ "grant cgroup /a/ port 1\n", 1, 14, empty },
		{ "grant cgroup /. port 1\n", 1, 14, empty },
		{ "grant cgroup /a/./b port 1\n", 1, 14, empty },
		{ "grant cgroup /.. port 1\n", 1, 14, empty },
		{ "grant cgroup /a/../b port 1\n", 1, 14, empty },
		{ "grant cgroup /a/b/.. port 1\n", 1, 14, empty },
		{ "grant cgroup /a cgroup /b port 1\n", 1, 17, "a second 'cgroup' in one rule" },
		{ "grant port 1 cgroup\n", 1, 14, "'cgroup' wants a value" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

/* The path of the only rule. */
static void assert_path(const char *line, const char *path)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	policy_from_text(&policy, line);
	assert_int_equal(policy.n, 1);
	assert_string_equal(policy.strings.data + policy.rules[0].path, path);
}

static void cgroup_may_have_any_name_that_the_kernel_takes(void **state)
{
	(void)state;
	assert_path("grant cgroup / port 1\n", "/");
	assert_path("grant cgroup /a/b.c/...d port 1\n", "/a/b.c/...d");
	assert_path("grant cgroup /.../..a/.b port 1\n", "/.../..a/.b");
	assert_path("grant cgroup \"/a b/c\" port 1\n", "/a b/c");
	assert_path("grant cgroup /a\\x2db.slice port 1\n", "/a\\x2db.slice");
	assert_path("grant cgroup \"/a\\\\x2db \\\"q\\\"\" port 1\n", "/a\\x2db \"q\"");
	assert_path("grant cgroup /\xc3\xa9 port 1\n", "/\xc3\xa9");
	assert_path("grant cgroup /port port 1\n", "/port");
}

static void longest_cgroup_name_is_255_bytes(void **state)
{
	char name[257], line[600];

	(void)state;
	memset(name, 'n', sizeof(name));
	for (int len = 255; len <= 256; len++) {
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_report_done) struct bc_report report = {};

		snprintf(line, sizeof(line), "grant cgroup /a/%.*s/b port 80\n", len, name);
		assert_int_equal(bc_parse(&policy, SOURCE, line, strlen(line), 0, &report), len == 255 ? 0 : -EINVAL);
		if (len == 256)
			assert_fault(&report.items[0], 1, 14, "is longer than a cgroup's name can be (255 bytes)");
	}
}

static void path_may_be_as_long_as_the_line(void **state)
{
	_cleanup_(bc_text_done) struct bc_text path = {}, line = {};

	(void)state;
	for (int i = 0; i < 64; i++)
		bc_text_addf(&path, "/%02d%s", i, "345678901234567890123456789012345678901234567890");
	bc_text_addf(&line, "grant cgroup %s port 80\n", path.data);
	assert_path(line.data, path.data);
}

static void rewrite_must_lead_somewhere(void **state)
{
	static const struct fault faults[] = {
		{ "rewrite port 80\n", 1, 16, "the rewrite leads nowhere: add 'to [IP][:PORT]'" },
		{ "rewrite port 80 to\n", 1, 17, "'to' wants a value" },
		{ "rewrite port 80 to \"\"\n", 1, 20, "'to' wants an address, a :PORT, or both" },
		{ "rewrite port 80 to 81\n", 1, 20, "'81' is not an IPv4 or IPv6 address" },
		{ "rewrite port 80 to :\n", 1, 20, "does not end in a port that a rewrite can lead to" },
		{ "rewrite port 80 to :0\n", 1, 20, "does not end in a port that a rewrite can lead to" },
		{ "rewrite port 80 to :65536\n", 1, 20, "does not end in a port that a rewrite can lead to" },
		{ "rewrite port 80 to :80-81\n", 1, 20, "does not end in a port that a rewrite can lead to" },
		{ "rewrite port 80 to 10.0.0.1:\n", 1, 20, "does not end in a port that a rewrite can lead to" },
		{ "rewrite port 80 to 10.0.0:80\n", 1, 20, "'10.0.0' is not an IPv4 or IPv6 address" },
		{ "rewrite port 80 to 10.0.0.0/8\n", 1, 20, "a rewrite leads to one address, not to a prefix" },
		{ "rewrite port 80 to 10.0.0.1/32:80\n", 1, 20, "a rewrite leads to one address, not to a prefix" },
		{ "rewrite port 80 to [::1\n", 1, 20, "'[::1' is not [IPV6]:PORT" },
		{ "rewrite port 80 to [::1]80\n", 1, 20, "'[::1]80' is not [IPV6]:PORT" },
		{ "rewrite port 80 to [::1]:\n", 1, 20, "does not end in a port that a rewrite can lead to" },
		{ "rewrite port 80 to []:80\n", 1, 20, "'' is not an IPv4 or IPv6 address" },
		{ "rewrite port 80 to [10.0.0.1]:80\n", 1, 20, "brackets are for IPv6 addresses" },
		{ "rewrite port 80 to fe80::1%eth0\n", 1, 20, "is not an IPv4 or IPv6 address" },
		{ "rewrite port 80 to localhost:81\n", 1, 20, "'localhost' is not an IPv4 or IPv6 address" },
		{ "rewrite port 80 to :81 to :82\n", 1, 24, "a second 'to' in one rule" },
		{ "rewrite port 80 to hidden\n", 1, 20, "'hidden' is not an IPv4 or IPv6 address" },
		{ "rewrite port 80 hidden to :81\n", 1, 17, "'hidden' stands behind 'to' and its value" },
		{ "rewrite port 80 to :81 hidden hidden\n", 1, 31, "'hidden' stands behind 'to' and its value" },
		{ "rewrite port 80 to :81 log hidden\n", 1, 28, "'hidden' stands behind 'to' and its value" },
		{ " grant port 80 to :81\n", 1, 2, "'to' belongs to a rewrite, not to 'grant'" },
		{ "deny port 80 to :81 hidden\n", 1, 1, "'to' belongs to a rewrite, not to 'deny'" },
		{ "rewrite port 80 to :81 errno EPERM\n", 1, 1, "'errno' belongs to a deny or a reserve, not to" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void rewrite_leads_to_an_address_a_port_or_both(void **state)
{
	static const struct {
		const char *to;
		bool addr, v4, hidden;
		unsigned port;
		uint32_t words[4];
	} cases[] = {
		{ ":8080", false, false, false, 8080, {} },
		{ ":8080 hidden", false, false, true, 8080, {} },
		{ "\":1\"", false, false, false, 1, {} },
		{ "10.0.0.1", true, true, false, 0, { 0, 0, 0xffff, 0x0a000001 } },
		{ "10.0.0.1 hidden", true, true, true, 0, { 0, 0, 0xffff, 0x0a000001 } },
		{ "10.0.0.1:65535", true, true, false, 65535, { 0, 0, 0xffff, 0x0a000001 } },
		{ "0.0.0.0:1", true, true, false, 1, { 0, 0, 0xffff, 0 } },
		{ "::1", true, false, false, 0, { 0, 0, 0, 1 } },
		{ "[::1]", true, false, false, 0, { 0, 0, 0, 1 } },
		{ "[2001:db8::1]:443 hidden", true, false, true, 443, { 0x20010db8, 0, 0, 1 } },
		{ "::", true, false, false, 0, {} },
		{ "[::]:80", true, false, false, 80, {} },
		{ "::ffff:10.0.0.1", true, true, false, 0, { 0, 0, 0xffff, 0x0a000001 } },
		{ "[::ffff:10.0.0.1]:80", true, true, false, 80, { 0, 0, 0xffff, 0x0a000001 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		const struct bc_rule *rule;
		char line[128];

		snprintf(line, sizeof(line), "rewrite port 80 to %s log\n", cases[i].to);
		policy_from_text(&policy, line);
		rule = &policy.rules[0];
		assert_int_equal(rule->verb, BC_VERB_REWRITE);
		assert_int_equal(rule->to_addr, cases[i].addr);
		assert_int_equal(rule->to_v4, cases[i].v4);
		assert_int_equal(rule->to_port, cases[i].port);
		assert_int_equal(!!(rule->clauses & BC_CLAUSE_HIDDEN), cases[i].hidden);
		assert_true(rule->clauses & BC_CLAUSE_TO && rule->clauses & BC_CLAUSE_LOG);
		assert_memory_equal(rule->to, cases[i].words, sizeof(rule->to));
	}
}

static void log_and_audit_take_no_value_and_come_once(void **state)
{
	static const struct fault faults[] = {
		{ "deny port 1 log yes\n", 1, 17, "unknown clause 'yes'" },
		{ "deny port 1 log log\n", 1, 17, "a second 'log' in one rule" },
		{ "deny port 1 audit audit\n", 1, 19, "a second 'audit' in one rule" },
		{ " grant port 1 audit\n", 1, 2, "'audit' belongs to a deny or a reserve, not to 'grant'" },
		{ "allow audit port 1\n", 1, 1, "'audit' belongs to a deny or a reserve, not to 'allow'" },
		{ "rewrite port 1 to :2 audit\n", 1, 1, "'audit' belongs to a deny or a reserve, not to 'rewrite'" },
	};
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
	policy_from_text(&policy, "grant log port 1\ndeny audit log port 1\nallow port 1 log\n");
	assert_int_equal(policy.rules[0].clauses, BC_CLAUSE_PORT | BC_CLAUSE_LOG);
	assert_int_equal(policy.rules[1].clauses, BC_CLAUSE_PORT | BC_CLAUSE_LOG | BC_CLAUSE_AUDIT);
	assert_int_equal(policy.rules[2].clauses, BC_CLAUSE_PORT | BC_CLAUSE_LOG);
}

static void until_must_be_a_time(void **state)
{
	static const struct fault faults[] = {
		{ "grant port 1 until\n", 1, 14, "'until' wants a value" },
		{ "grant port 1 until tomorrow\n", 1, 20, "'tomorrow' is not a time" },
		{ "grant port 1 until 2026-11-24\n", 1, 20, "names a day but no time" },
		{ "grant port 1 until 2026-11-24T10:00:00\n", 1, 20, "in which time zone" },
		{ "grant port 1 until +10\n", 1, 20, "lacks the unit" },
		{ "grant port 1 until 10m\n", 1, 20, "is not a time" },
		{ "grant port 1 until +0s\n", 1, 20, "no time at all" },
		{ "grant port 1 until +1h until +2h\n", 1, 24, "a second 'until' in one rule" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void until_counts_from_the_base_or_from_nothing(void **state)
{
	static const char text[] = "grant port 1 until +10m\ndeny port 2 until 2001-09-09T01:46:40.5Z\ngrant port 3\n";
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct bc_report report = {};

	(void)state;
	assert_int_equal(bc_parse(&policy, SOURCE, text, strlen(text), 1000 * BC_SECOND + 7, &report), 0);
	assert_true(policy.rules[0].until == 1600 * BC_SECOND + 7);
	assert_true(policy.rules[0].relative && policy.rules[0].clauses & BC_CLAUSE_UNTIL);
	assert_true(policy.rules[1].until == 1000000000 * BC_SECOND + BC_SECOND / 2);
	assert_false(policy.rules[1].relative);
	assert_false(policy.rules[2].clauses & BC_CLAUSE_UNTIL);
}

static void clauses_are_counted_in_words(void **state)
{
	static const struct {
		const char *words[4];
		size_t n, taken;
	} cases[] = {
		{ { "port", "80", "log" }, 3, 2 },
		{ { "log", "port", "80" }, 3, 1 },
		{ { "audit", "hidden" }, 2, 1 },
		{ { "to", ":80", "hidden" }, 3, 3 },
		{ { "to", ":80", "log" }, 3, 2 },
		{ { "to", ":80" }, 2, 2 },
		{ { "user", "to", "hidden" }, 3, 2 },
		{ { "nonsense", "port", "80" }, 3, 1 },
		{ { "until", "+1h", "hidden", "x" }, 4, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bc_word words[4];

		for (size_t k = 0; k < cases[i].n; k++)
			words[k] = (struct bc_word){ cases[i].words[k], strlen(cases[i].words[k]), 1 };
		assert_int_equal(bc_clause_words(words, cases[i].n, 0), cases[i].taken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_must_be_one),
		cmocka_unit_test(other_clauses_take_only_what_they_know),
		cmocka_unit_test(clause_comes_once_and_with_a_value),
		cmocka_unit_test(address_is_told_from_a_wider_prefix),
		cmocka_unit_test(longest_name_is_255_bytes),
		cmocka_unit_test(subject_must_be_one_that_can_be),
		cmocka_unit_test(cgroup_must_be_a_path_from_the_root),
		cmocka_unit_test(cgroup_may_have_any_name_that_the_kernel_takes),
		cmocka_unit_test(longest_cgroup_name_is_255_bytes),
		cmocka_unit_test(path_may_be_as_long_as_the_line),
		cmocka_unit_test(rewrite_must_lead_somewhere),
		cmocka_unit_test(rewrite_leads_to_an_address_a_port_or_both),
		cmocka_unit_test(log_and_audit_take_no_value_and_come_once),
		cmocka_unit_test(until_must_be_a_time),
		cmocka_unit_test(until_counts_from_the_base_or_from_nothing),
		cmocka_unit_test(clauses_are_counted_in_words),
	};

	return cmocka_run_group_tests_name("clause", tests, NULL, NULL);
}
