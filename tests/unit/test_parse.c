// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/clause.h"
#include "unit.h"

static void verb_and_clause_must_be_known(void **state)
{
	static const struct fault faults[] = {
		{ "permit port 80\n", 1, 1, "unknown verb 'permit' (grant, allow, deny, rewrite or reserve)" },
		{ "Grant port 80\n", 1, 1, "unknown verb 'Grant'" },
		{ "\n# a\n   granted port 80\n", 3, 4, "unknown verb 'granted'" },
		{ "\"\" port 80\n", 1, 1, "unknown verb ''" },
		{ "rewrit port 80\n", 1, 1, "unknown verb 'rewrit'" },
		{ "grant prot tcp port 80\n", 1, 7,
		  "unknown clause 'prot' (user, group, unit, cgroup, port, proto, addr, netns, to, errno, until, log "
		  "or "
		  "audit)" },
		{ "grant port 80 81\n", 1, 15, "unknown clause '81'" },
		{ "grant\tport\t80\tand\n", 1, 15, "unknown clause 'and'" },
		{ "# c\ngrant  80\n", 2, 8, "unknown clause '80'" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void port_must_be_a_list_of_ports(void **state)
{
	static const struct fault faults[] = {
		{ "grant port 65536\n", 1, 12, "port 65536 is out of range (1 to 65535)" },
		{ "grant port 99999999999999999999\n", 1, 12, "port 99999999999999999999 is out of range" },
		{ "grant port 0\n", 1, 12, "port 0 lets the kernel choose, and is matched by 'port any' alone" },
		{ "grant port 0-80\n", 1, 12, "port 0 lets the kernel choose" },
		{ "grant port 000,80\n", 1, 12, "port 0 lets the kernel choose" },
		{ "grant port -1\n", 1, 12, "'-1' is not a port number" },
		{ "grant port -\n", 1, 12, "'-' is not a port number" },
		{ "grant port 80-\n", 1, 12, "'' is not a port number" },
		{ "grant port 80-90-99\n", 1, 12, "'90-99' is not a port number" },
		{ "grant port 80-70\n", 1, 12, "the port range 80-70 runs backwards" },
		{ "grant port \"\"\n", 1, 12, "the port list '' has an empty place" },
		{ "grant port 80,,81\n", 1, 12, "the port list '80,,81' has an empty place" },
		{ "grant port 80,\n", 1, 12, "the port list '80,' has an empty place" },
		{ "grant port ,80\n", 1, 12, "the port list ',80' has an empty place" },
		{ "grant port 80,80\n", 1, 12, "port 80 is named twice in '80,80'" },
		{ "grant port 80-90,85\n", 1, 12, "port 85 is named twice" },
		{ "grant port 85,80-90\n", 1, 12, "port 85 is named twice" },
		{ "grant port 1,9,5-9\n", 1, 12, "port 9 is named twice" },
		{ "grant port 1-9,20-29,10-20\n", 1, 12, "port 20 is named twice" },
		{ "grant port 80,any\n", 1, 12, "'any' is not a port number" },
		{ "grant port ANY\n", 1, 12, "'ANY' is not a port number" },
		{ "grant port http\n", 1, 12, "'http' is not a port number" },
		{ "grant port 0x50\n", 1, 12, "'0x50' is not a port number" },
		{ "grant port 80/tcp\n", 1, 12, "'80/tcp' is not a port number" },
		{ "grant user alice\n", 1, 17, "the rule names no port: add 'port N' or 'port any'" },
		{ "deny  # everything\n", 1, 5, "the rule names no port" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

/* A word in a line ends at its length: what lies behind it in the buffer says nothing. */
static void port_0_is_explained_whatever_word_follows(void **state)
{
	static const struct fault faults[] = {
		{ "grant port 0 0\n", 1, 12, "port 0 lets the kernel choose" },
	};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
}

static void rule_is_read_with_every_clause(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	const uint32_t addr[4] = { 0, 0, 0xffff, 0x0a000000 };
	const struct bc_rule *rule;

	(void)state;
	policy_from_text(&policy, "\n deny errno EPERM netns any addr 10.0.0.0/8 proto udp port 9,1-3 user bob\n"
				  "grant port any\nallow user 42 port 5 addr 2001:db8::/33 netns host\n");
	assert_int_equal(policy.n, 3);
	rule = &policy.rules[0];
	assert_int_equal(rule->verb, BC_VERB_DENY);
	assert_int_equal(rule->kind, BC_USER);
	assert_int_equal(rule->id, 1001);
	assert_int_equal(rule->proto, BC_UDP);
	assert_int_equal(rule->prefix, 104);
	assert_true(rule->v4 && rule->any_netns);
	assert_memory_equal(rule->addr, addr, sizeof(addr));
	assert_int_equal(rule->err, EPERM);
	assert_int_equal(rule->path, 0);
	assert_int_equal(rule->nranges, 2);
	assert_int_equal(policy.ranges[rule->ranges].last, 3);
	assert_int_equal(policy.ranges[rule->ranges + 1].first, 9);
	assert_int_equal(rule->line, 2);
	assert_int_equal(rule->column, 71);
	rule = &policy.rules[1];
	assert_int_equal(rule->kind, BC_ANYONE);
	assert_int_equal(rule->id, 0);
	assert_int_equal(rule->proto, BC_TCP | BC_UDP);
	assert_false(rule->any_netns);
	assert_int_equal(rule->clauses, BC_CLAUSE_PORT);
	assert_int_equal(policy.ranges[rule->ranges].first, 0);
	assert_int_equal(policy.ranges[rule->ranges].last, 65535);
	rule = &policy.rules[2];
	assert_int_equal(rule->id, 42);
	assert_int_equal(rule->prefix, 33);
	assert_false(rule->v4 || rule->any_netns);
	assert_int_equal(rule->line, 4);
}

static void arguments_are_named_instead_of_a_place(void **state)
{
	const struct bc_word words[] = { { "grant", 5, 1 }, { "port", 4, 1 }, { "80,x", 4, 1 } };
	const struct bc_word control[] = {
		{ "grant", 5, 1 }, { "user", 4, 1 }, { "a\nb", 3, 1 }, { "port", 4, 1 }, { "80", 2, 1 }
	};
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	const struct bc_place place = {};
	struct bc_error error = {};

	(void)state;
	assert_int_equal(bc_parse_words(&policy, &place, words, 3, &error), -EINVAL);
	assert_string_equal(error.source, "argument '80,x'");
	assert_int_equal(error.line, 0);
	assert_contains(error.text, "'x' is not a port number");
	assert_int_equal(bc_parse_words(&policy, &place, control, 5, &error), -EINVAL);
	assert_contains(error.text, "control bytes do not belong in a rule");
	assert_int_equal(bc_parse_words(&policy, &place, words, 1, &error), -EINVAL);
	assert_contains(error.text, "the rule names no port");
	assert_int_equal(policy.n, 0);
	assert_int_equal(policy.nranges, 0);
}

static void argument_longer_than_a_line_is_refused(void **state)
{
	static char list[BC_LINE_MAX + 512];
	struct bc_word words[] = { { "grant", 5, 1 }, { "port", 4, 1 }, { list, 0, 1 } };
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	const struct bc_place place = {};
	struct bc_error error = {};

	(void)state;
	for (unsigned port = 1000; words[2].len < BC_LINE_MAX; port++)
		words[2].len += sprintf(list + words[2].len, "%s%u", words[2].len ? "," : "", port);
	assert_int_equal(bc_parse_words(&policy, &place, words, 3, &error), -EINVAL);
	assert_contains(error.text, "the rule would be longer than a line's 4096 bytes");
}

static void policy_of_too_many_rules_is_refused(void **state)
{
	struct bc_policy policy = { .n = BC_RULES_MAX, .room = BC_RULES_MAX };
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	assert_int_equal(bc_parse(&policy, SOURCE, "\ngrant port 80\n", 15, 0, &report), -E2BIG);
	assert_fault(&report.items[0], 2, 0, "a policy holds at most 4194304 rules");
	policy.n = 0;
	bc_policy_done(&policy);
}

static void reserve_must_be_for_somebody(void **state)
{
	static const struct fault faults[] = {
		{ "reserve port 80\n", 1, 16, "the reserve is for nobody: add 'user', 'group', 'unit' or 'cgroup'" },
		{ "reserve user alice\n", 1, 19, "the rule names no port" },
	};
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
	policy_from_text(&policy, "reserve user alice port 80\nreserve group web port 80 errno EPERM\n"
				  "reserve unit a.service port 80 audit\nreserve cgroup /a port 80 log\n");
	assert_int_equal(policy.n, 4);
	assert_int_equal(policy.rules[0].verb, BC_VERB_RESERVE);
	assert_int_equal(policy.rules[0].err, EACCES);
	assert_int_equal(policy.rules[1].err, EPERM);
	assert_int_equal(policy.rules[1].id, 2001);
}

static void mode_stands_first_and_once(void **state)
{
	static const struct fault faults[] = {
		{ "mode\n", 1, 1, "the only mode is 'mode audit'" },
		{ "\n  mode enforce\n", 2, 8, "the only mode is 'mode audit'" },
		{ "mode audit please\n", 1, 12, "the only mode is 'mode audit'" },
		{ "mode Audit\n", 1, 6, "the only mode is 'mode audit'" },
		{ "mode audit\nmode audit\n", 2, 1, "'mode' stands before the file's first rule, once" },
	};
	static const char late[] = "grant port 1\n mode audit\n";
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	assert_faults(faults, ARRAY_SIZE(faults));
	assert_int_equal(bc_parse(&policy, SOURCE, late, strlen(late), 0, &report), -EINVAL);
	assert_int_equal(report.n, 1);
	assert_fault(&report.items[0], 2, 2, "'mode' stands before the file's first rule, once");
}

static void mode_audit_makes_all_denies_of_its_file_audit(void **state)
{
	static const char audited[] = "# trial\n\nmode\taudit # from Monday on: enforce\ndeny port 1\ngrant port 2\n"
				      "reserve user 5 port 3\nallow port 4\nrewrite port 5 to :6\ndeny port 7 audit\n";
	static const bool expected[] = { true, false, true, false, false, true, false };
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct bc_report report = {};

	(void)state;
	assert_int_equal(bc_parse(&policy, SOURCE, audited, strlen(audited), 0, &report), 0);
	assert_int_equal(bc_parse(&policy, "next.conf", "deny port 1\n", 12, 0, &report), 0);
	assert_int_equal(policy.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(!!(policy.rules[i].clauses & BC_CLAUSE_AUDIT), expected[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verb_and_clause_must_be_known),
		cmocka_unit_test(port_must_be_a_list_of_ports),
		cmocka_unit_test(port_0_is_explained_whatever_word_follows),
		cmocka_unit_test(rule_is_read_with_every_clause),
		cmocka_unit_test(arguments_are_named_instead_of_a_place),
		cmocka_unit_test(argument_longer_than_a_line_is_refused),
		cmocka_unit_test(policy_of_too_many_rules_is_refused),
		cmocka_unit_test(reserve_must_be_for_somebody),
		cmocka_unit_test(mode_stands_first_and_once),
		cmocka_unit_test(mode_audit_makes_all_denies_of_its_file_audit),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
