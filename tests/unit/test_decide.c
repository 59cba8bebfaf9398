// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

/* One bind of alice's (uid 1000), TCP at 0.0.0.0 unless the test says otherwise. */

static void no_rule_leaves_the_bind_to_the_kernel(void **state)
{
	(void)state;
	assert_decides("", ALICE(80), BC_NONE, 0);
	assert_decides("# none\n", ALICE(0), BC_NONE, 0);
	assert_decides("grant user bob port 80\n", ALICE(80), BC_NONE, 0);
	assert_decides("grant user alice port 81\n", ALICE(80), BC_NONE, 0);
	assert_decides("grant port 79,81-90\n", ALICE(80), BC_NONE, 0);
}

static void each_verb_gives_its_verdict(void **state)
{
	(void)state;
	assert_decides("grant port 80\n", ALICE(80), BC_GRANT, 1);
	assert_decides("allow port 80\n", ALICE(80), BC_ALLOW, 1);
	assert_decides("deny port 80\n", ALICE(80), BC_DENY, 1);
}

static void range_holds_both_its_ends_and_nothing_more(void **state)
{
	static const char text[] = "grant port 80-90,443,65535\n";
	static const unsigned in[] = { 80, 85, 90, 443, 65535 }, out[] = { 0, 79, 91, 442, 444, 65534, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		assert_decides(text, ALICE(in[i]), BC_GRANT, 1);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		assert_decides(text, ALICE(out[i]), BC_NONE, 0);
}

static void port_0_is_matched_by_any_alone(void **state)
{
	(void)state;
	assert_decides("deny port any\n", ALICE(0), BC_DENY, 1);
	assert_decides("deny port any\n", ALICE(65535), BC_DENY, 1);
	assert_decides("deny port 1-65535\n", ALICE(0), BC_NONE, 0);
	assert_decides("deny port any\ngrant port 1-65535\n", ALICE(0), BC_DENY, 1);
	assert_decides("deny port any\ngrant port 1-65535\n", ALICE(1), BC_GRANT, 2);
}

static void narrower_range_decides_before_wider(void **state)
{
	(void)state;
	assert_decides("deny port 80-90\ngrant port 80-89\n", ALICE(80), BC_GRANT, 2);
	assert_decides("grant port 80-89\ndeny port 80-90\n", ALICE(80), BC_GRANT, 1);
	assert_decides("grant port 80-89\ndeny port 80-90\n", ALICE(90), BC_DENY, 2);
	assert_decides("deny port 1-65535 addr 0.0.0.0 proto tcp\ngrant port 1-65534\n", ALICE(80), BC_GRANT, 2);
	assert_decides("deny port any\nallow port 1-65535\ngrant port 80\n", ALICE(80), BC_GRANT, 3);
}

static void width_is_that_of_the_range_that_holds_the_port(void **state)
{
	static const char text[] = "deny port 80-84,100-200\ngrant port 80-89,150\n";

	(void)state;
	assert_decides(text, ALICE(80), BC_DENY, 1);
	assert_decides(text, ALICE(85), BC_GRANT, 2);
	assert_decides(text, ALICE(150), BC_GRANT, 2);
	assert_decides(text, ALICE(151), BC_DENY, 1);
}

static void longer_prefix_decides_before_shorter(void **state)
{
	static const char text[] = "grant port 80 addr 10.0.0.0/8\ndeny port 80 addr 10.1.0.0/16\n"
				   "allow port 80 addr 10.1.2.3\ndeny port 80 proto tcp\n";

	(void)state;
	assert_decides(text, ask(0, 80, "10.9.9.9"), BC_GRANT, 1);
	assert_decides(text, ask(0, 80, "10.1.9.9"), BC_DENY, 2);
	assert_decides(text, ask(0, 80, "10.1.2.3"), BC_ALLOW, 3);
	assert_decides(text, ask(0, 80, "11.0.0.0"), BC_DENY, 4);
	assert_decides("deny port 80\ngrant port 80 addr 0.0.0.0/0\n", ask(0, 80, "1.2.3.4"), BC_GRANT, 2);
	assert_decides("deny port 80\ngrant port 80 addr ::/0\n", ask(0, 80, "::1"), BC_GRANT, 2);
	assert_decides("deny port 80 proto tcp\ngrant port 80 addr ::/0\n", ask(0, 80, "::1"), BC_GRANT, 2);
}

static void prefix_is_compared_to_its_last_bit(void **state)
{
	for (unsigned bits = 1; bits <= 128; bits++) {
		uint32_t addr[4] = { 0x20010db8, 0x89abcdef, 0x01234567, 0xfedcba98 };
		char buffer[INET6_ADDRSTRLEN], text[128];
		struct bc_question question = ask(0, 80, "::");
		uint32_t wire[4];

		for (unsigned i = 0; i < 4; i++) {
			unsigned kept = bits < 32 * i ? 0 : bits > 32 * i + 32 ? 32 : bits - 32 * i;

			wire[i] = htonl(kept ? addr[i] & ~0u << (32 - kept) : 0);
		}
		inet_ntop(AF_INET6, wire, buffer, sizeof(buffer));
		snprintf(text, sizeof(text), "grant port 80 addr %s/%u\n", buffer, bits);
		memcpy(question.addr, addr, sizeof(addr));
		assert_decides(text, question, BC_GRANT, 1);
		question.addr[(bits - 1) / 32] ^= 1u << (31 - (bits - 1) % 32);
		assert_decides(text, question, BC_NONE, 0);
	}
	(void)state;
}

static void protocol_given_decides_before_none(void **state)
{
	static const char text[] = "deny port 80\ngrant port 80 proto tcp\n";
	struct bc_question udp = ALICE(80);

	(void)state;
	udp.proto = BC_UDP;
	assert_decides(text, ALICE(80), BC_GRANT, 2);
	assert_decides(text, udp, BC_DENY, 1);
	assert_decides("grant port 80 proto udp\n", udp, BC_GRANT, 1);
	assert_decides("grant port 80 proto udp\n", ALICE(80), BC_NONE, 0);
	udp.proto = 0;
	assert_decides("deny port any\n", udp, BC_NONE, 0);
}

static void least_privilege_decides_at_equal_rank(void **state)
{
	(void)state;
	assert_decides("grant port 80\nallow port 80\ndeny port 80\n", ALICE(80), BC_DENY, 3);
	assert_decides("deny port 80\nallow port 80\ngrant port 80\n", ALICE(80), BC_DENY, 1);
	assert_decides("grant port 80\nallow port 80\n", ALICE(80), BC_ALLOW, 2);
	assert_decides("grant port 80-89\ndeny port 85-94\n", ALICE(85), BC_DENY, 2);
	assert_decides("grant user alice port 80\ndeny user 1000 port 80\n", ALICE(80), BC_DENY, 2);
	assert_decides("grant port 80 netns host\ndeny port 80 netns any\n", ALICE(80), BC_DENY, 2);
	assert_decides("deny port 80\ndeny port 80 errno EPERM\n", ALICE(80), BC_DENY, 1);
}

/* Everyone is its subject: there is nobody else whom it would deny. */
static void reserve_for_everyone_denies_nobody(void **state)
{
	(void)state;
	assert_decides("reserve cgroup / port 80\n", ALICE(80), BC_GRANT, 1);
	assert_decides("deny port 79-80\nreserve cgroup / port 80\n", ALICE(80), BC_GRANT, 2);
}

static void netns_defaults_to_the_hosts(void **state)
{
	struct bc_question other = ALICE(80);

	(void)state;
	other.host_netns = false;
	assert_decides("grant port 80\n", other, BC_NONE, 0);
	assert_decides("deny port 80 netns host\n", other, BC_NONE, 0);
	assert_decides("grant port 80 netns any\n", other, BC_GRANT, 1);
	assert_decides("grant port 80 netns any\n", ALICE(80), BC_GRANT, 1);
	assert_decides("deny port 80\ngrant port 80-81 netns any\n", other, BC_GRANT, 2);
	assert_decides("deny port 80\ngrant port 80-81 netns any\n", ALICE(80), BC_DENY, 1);
}

static void deny_gives_its_errno(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "deny port 80\n", EACCES },
		{ "deny port 80 errno EPERM\n", EPERM },
		{ "deny port 80 errno EADDRINUSE\n", EADDRINUSE },
		{ "deny port 80 errno EADDRNOTAVAIL\n", EADDRNOTAVAIL },
		{ "grant port 80\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_cells_done) struct bc_cells image = {};
		_cleanup_(bc_answer_done) struct bc_answer answer = {};
		struct bc_question question = ALICE(80);

		image_from_text(&image, cases[i].text);
		assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
		assert_int_equal(answer.err, cases[i].err);
	}
}

static void rule_without_address_covers_both_families(void **state)
{
	static const char *const addrs[] = { "0.0.0.0", "127.0.0.1", "::", "::1", "2001:db8::1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		assert_decides("grant port 80\n", ask(0, 80, addrs[i]), BC_GRANT, 1);
		assert_decides("grant port 80\ndeny port 90 addr ::9\n", ask(0, 80, addrs[i]), BC_GRANT, 1);
	}
}

static void addresses_of_the_two_families_never_meet(void **state)
{
	(void)state;
	assert_decides("grant port 80 addr ::/0\n", ask(0, 80, "127.0.0.1"), BC_NONE, 0);
	assert_decides("grant port 80 addr 0.0.0.0/0\n", ask(0, 80, "::1"), BC_NONE, 0);
	assert_decides("grant port 80 addr ::ffff:127.0.0.1\n", ask(0, 80, "127.0.0.1"), BC_GRANT, 1);
	assert_decides("deny port 80 addr ::\n", ask(0, 80, "0.0.0.0"), BC_NONE, 0);
}

static void dual_stack_wildcard_takes_the_lesser_privilege(void **state)
{
	(void)state;
	assert_decides("deny port 80 addr 0.0.0.0\n", ask(0, 80, "::"), BC_DENY, 1);
	assert_decides("grant port 80\ndeny port 80 addr 0.0.0.0\n", ask(0, 80, "::"), BC_DENY, 2);
	assert_decides("grant port 80\ndeny port 80 addr ::\n", ask(0, 80, "::"), BC_DENY, 2);
	assert_decides("grant port 80 addr 0.0.0.0/0\n", ask(0, 80, "::"), BC_NONE, 0);
	assert_decides("grant port 80 addr ::/0\n", ask(0, 80, "::"), BC_NONE, 0);
	assert_decides("grant port 80 addr ::\nallow port 80 addr 0.0.0.0\n", ask(0, 80, "::"), BC_ALLOW, 2);
	assert_decides("allow port 80 addr ::\n", ask(0, 80, "::"), BC_ALLOW, 1);
	assert_decides("allow port 80 addr 0.0.0.0\n", ask(0, 80, "::"), BC_ALLOW, 1);
	assert_decides("grant user alice port 80\ndeny port 80 addr 0.0.0.0\n", ask(1000, 80, "::"), BC_GRANT, 1);
}

static void dual_stack_concerns_the_wildcard_alone(void **state)
{
	struct bc_question v6only = ask(0, 80, "::");

	(void)state;
	v6only.v6only = true;
	assert_decides("deny port 80 addr 0.0.0.0/0\n", v6only, BC_NONE, 0);
	assert_decides("grant port 80 addr ::/0\n", v6only, BC_GRANT, 1);
	assert_decides("deny port 80 addr 0.0.0.0/0\ngrant port 80 addr ::/0\n", ask(0, 80, "::1"), BC_GRANT, 2);
	assert_decides("deny port 80 addr ::/0\ngrant port 80 addr 0.0.0.0/0\n", ask(0, 80, "0.0.0.0"), BC_GRANT, 2);
}

static void grants_of_both_families_cover_the_wildcard(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	struct bc_question question = ask(0, 80, "::");

	(void)state;
	image_from_text(&image, "grant port 80 addr 0.0.0.0/0\ngrant port 80 addr ::/0\n");
	assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
	assert_int_equal(answer.verdict, BC_GRANT);
	assert_true(answer.both);
}

static void what_was_tried_is_told_in_order(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	struct bc_question question = ALICE(80);
	static const uint32_t failed[] = { BC_IF_PROTO, BC_IF_V6, BC_IF_HOST, BC_IF_V4, 0 };
	static const uint32_t lines[] = { 5, 4, 3, 2, 1 };

	(void)state;
	question.host_netns = false;
	image_from_text(&image, "grant port any netns any\ngrant port 70-90 addr 10.0.0.0/8 netns any\n"
				"grant port 80 netns host\ngrant user alice port 80-81 addr ::1 netns any\n"
				"grant user alice port 80 proto udp\n");
	assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
	assert_int_equal(answer.ntried, ARRAY_SIZE(lines));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(bc_rule_at(&image, answer.tried[i].rule)->line, lines[i]);
		assert_int_equal(answer.tried[i].failed, failed[i]);
		assert_true(answer.tried[i].v4);
	}
	assert_false(answer.both);
}

static void rule_holds_before_its_time_and_no_longer(void **state)
{
	static const char text[] = "deny port 80-81\ngrant port 80 until 1970-01-01T00:00:02Z\n";
	struct bc_question question = ALICE(80);

	(void)state;
	question.now = 0;
	assert_decides(text, question, BC_GRANT, 2);
	question.now = 2 * BC_SECOND - 1;
	assert_decides(text, question, BC_GRANT, 2);
	question.now = 2 * BC_SECOND;
	assert_decides(text, question, BC_DENY, 1);
	question.now = BC_MOMENT_END;
	assert_decides(text, question, BC_DENY, 1);
	assert_decides("deny port 80 until 1970-01-01T00:00:02Z\n", question, BC_NONE, 0);
}

/* What the image answers, with what was tried. */
static void answer_of(const char *text, struct bc_question question, struct bc_answer *ret)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	image_from_text(&image, text);
	assert_int_equal(bc_decide_image(&image, &question, ret), 0);
}

static void audit_leaves_the_bind_to_the_next_rule(void **state)
{
	static const char text[] = "deny port 80 audit\ngrant port 80-81\n";
	_cleanup_(bc_answer_done) struct bc_answer answer = {};

	(void)state;
	assert_decides(text, ALICE(80), BC_GRANT, 2);
	assert_decides("deny port 80 audit\n", ALICE(80), BC_NONE, 0);
	assert_decides("mode audit\ndeny port 80\n", ALICE(80), BC_NONE, 0);
	assert_decides("deny port 80 audit\ndeny port 80\n", ALICE(80), BC_DENY, 2);
	assert_decides("deny user alice port 80 audit\nallow port 80\n", ALICE(80), BC_ALLOW, 2);
	answer_of(text, ALICE(80), &answer);
	assert_int_equal(answer.ntried, 2);
	assert_int_equal(answer.tried[0].rule, 0);
	assert_int_equal(answer.tried[0].failed, BC_TRIED_AUDITS);
	assert_int_equal(answer.tried[1].failed, 0);
	assert_int_equal(answer.err, 0);
}

static void reserve_grants_its_subject_and_denies_everyone_else(void **state)
{
	static const char text[] = "reserve user alice port 80 errno EADDRINUSE\n";
	_cleanup_(bc_answer_done) struct bc_answer answer = {};

	(void)state;
	assert_decides(text, ALICE(80), BC_GRANT, 1);
	assert_decides(text, ALICE(81), BC_NONE, 0);
	assert_decides(text, ask(0, 80, "0.0.0.0"), BC_DENY, 1);
	answer_of(text, ask(0, 80, "0.0.0.0"), &answer);
	assert_int_equal(answer.err, EADDRINUSE);
	assert_true(answer.tried[0].others);
	assert_decides("reserve group 5 port 80\n", member(5, NULL, 0), BC_GRANT, 1);
	assert_decides("reserve group 5 port 80\n", member(6, NULL, 0), BC_DENY, 1);
	assert_decides("reserve cgroup /a port 80\n", within("/a/b"), BC_GRANT, 1);
	assert_decides("reserve cgroup /a port 80\n", within("/ab"), BC_DENY, 1);
	assert_decides("reserve cgroup /a user alice port 80\n", within("/a"), BC_GRANT, 1);
	assert_decides("reserve cgroup /a user alice port 80\n", ALICE(80), BC_DENY, 1);
	assert_decides("reserve cgroup /a user bob port 80\n", within("/a"), BC_DENY, 1);
}

static void reserve_says_nothing_where_its_conditions_do_not_hold(void **state)
{
	static const char text[] = "reserve user 5 port 80 proto udp\nreserve user 5 port 80 addr 10.0.0.1\n"
				   "reserve user 5 port 80 until 1970-01-01T00:00:02Z\n";
	struct bc_question question = ALICE(80);

	(void)state;
	question.now = 3 * BC_SECOND;
	assert_decides(text, question, BC_NONE, 0);
	question.now = 0;
	assert_decides(text, question, BC_DENY, 3);
	question.host_netns = false;
	assert_decides(text, question, BC_NONE, 0);
}

static void others_of_a_reserve_may_be_exempted_by_a_nearer_rule(void **state)
{
	static const char text[] = "reserve user alice port 80\nallow user bob port 80\ngrant cgroup /a port 80\n";

	(void)state;
	assert_decides(text, ask(1001, 80, "0.0.0.0"), BC_ALLOW, 2);
	assert_decides(text, ask(1002, 80, "0.0.0.0"), BC_DENY, 1);
	assert_decides(text, within("/a"), BC_GRANT, 3);
	assert_decides("reserve user alice port 80-81\ngrant port 80\n", ask(1001, 80, "0.0.0.0"), BC_GRANT, 2);
}

static void reserve_that_audits_still_grants(void **state)
{
	_cleanup_(bc_answer_done) struct bc_answer answer = {};

	(void)state;
	assert_decides("reserve user alice port 80 audit\n", ALICE(80), BC_GRANT, 1);
	answer_of("reserve user alice port 80 audit\n", ask(0, 80, "0.0.0.0"), &answer);
	assert_int_equal(answer.verdict, BC_NONE);
	assert_int_equal(answer.tried[0].failed, BC_TRIED_AUDITS);
	assert_true(answer.tried[0].others);
}

static void rewrite_stands_between_allow_and_grant(void **state)
{
	(void)state;
	assert_decides("rewrite port 80 to :81\n", ALICE(80), BC_REWRITE, 1);
	assert_decides("grant port 80\nrewrite port 80 to :81\n", ALICE(80), BC_REWRITE, 2);
	assert_decides("rewrite port 80 to :81\nallow port 80\n", ALICE(80), BC_ALLOW, 2);
	assert_decides("rewrite port 80 to :81\ndeny port 80\n", ALICE(80), BC_DENY, 2);
	assert_decides("rewrite port 80 to :82\nrewrite port 80 to :81\n", ALICE(80), BC_REWRITE, 1);
	assert_decides("rewrite port 80-81 to :82\ngrant port 80\n", ALICE(80), BC_GRANT, 2);
}

static void dual_stack_wildcard_takes_the_first_of_two_rewrites(void **state)
{
	struct bc_question question = ask(0, 80, "::"), v6only = question;

	(void)state;
	v6only.v6only = true;
	assert_decides("rewrite port 80 addr 0.0.0.0 to :1\nrewrite port 80 addr :: to :2\n", question, BC_REWRITE, 1);
	assert_decides("rewrite port 80 addr :: to :1\nrewrite port 80 addr 0.0.0.0 to :2\n", question, BC_REWRITE, 1);
	assert_decides("rewrite port 80 addr 0.0.0.0 to :1\nrewrite port 80 addr :: to :2\n", v6only, BC_REWRITE, 2);
	assert_decides("grant port 80 addr ::\nrewrite port 80 addr 0.0.0.0 to :2\n", question, BC_REWRITE, 2);
	assert_decides("rewrite port 80 addr 0.0.0.0 to :2\n", question, BC_NONE, 0);
}

static void every_failed_condition_is_told(void **state)
{
	static const struct {
		const char *text;
		uint32_t failed;
	} cases[] = {
		{ "grant port 80 proto udp\n", BC_IF_PROTO },
		{ "grant port 80 addr 10.0.0.1\n", BC_IF_V4 },
		{ "grant port 80 addr ::1\n", BC_IF_V6 },
		{ "grant port 80\n", BC_IF_HOST },
		{ "grant port 80 netns any until 1970-01-01T00:00:01Z\n", BC_IF_UNTIL },
		{ "grant group 5 port 80 netns any\n", BC_IF_GROUP },
		{ "deny port 80 netns any audit\n", BC_TRIED_AUDITS },
		{ "grant port 80 netns any\n", 0 },
	};
	struct bc_question question = ALICE(80);

	(void)state;
	question.host_netns = false;
	question.now = BC_SECOND;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_answer_done) struct bc_answer answer = {};

		answer_of(cases[i].text, question, &answer);
		assert_int_equal(answer.ntried, 1);
		assert_int_equal(answer.tried[0].failed, cases[i].failed);
	}
}

static void v4_side_of_a_v6only_socket_is_not_told(void **state)
{
	static const char text[] =
		"deny port 80 addr 0.0.0.0 audit\ngrant port 80 addr ::\ndeny port 80-81 addr 0.0.0.0\n";
	_cleanup_(bc_answer_done) struct bc_answer dual = {}, v6only = {};
	struct bc_question question = ask(0, 80, "::");

	(void)state;
	answer_of(text, question, &dual);
	assert_int_equal(dual.verdict, BC_DENY);
	assert_true(dual.both);
	assert_true(dual.tried[dual.ntried - 1].v4);
	question.v6only = true;
	answer_of(text, question, &v6only);
	assert_int_equal(v6only.verdict, BC_GRANT);
	assert_false(v6only.both);
	for (size_t i = 0; i < v6only.ntried; i++)
		assert_false(v6only.tried[i].v4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rule_leaves_the_bind_to_the_kernel),
		cmocka_unit_test(each_verb_gives_its_verdict),
		cmocka_unit_test(range_holds_both_its_ends_and_nothing_more),
		cmocka_unit_test(port_0_is_matched_by_any_alone),
		cmocka_unit_test(narrower_range_decides_before_wider),
		cmocka_unit_test(width_is_that_of_the_range_that_holds_the_port),
		cmocka_unit_test(longer_prefix_decides_before_shorter),
		cmocka_unit_test(prefix_is_compared_to_its_last_bit),
		cmocka_unit_test(protocol_given_decides_before_none),
		cmocka_unit_test(least_privilege_decides_at_equal_rank),
		cmocka_unit_test(reserve_for_everyone_denies_nobody),
		cmocka_unit_test(netns_defaults_to_the_hosts),
		cmocka_unit_test(deny_gives_its_errno),
		cmocka_unit_test(rule_without_address_covers_both_families),
		cmocka_unit_test(addresses_of_the_two_families_never_meet),
		cmocka_unit_test(dual_stack_wildcard_takes_the_lesser_privilege),
		cmocka_unit_test(dual_stack_concerns_the_wildcard_alone),
		cmocka_unit_test(grants_of_both_families_cover_the_wildcard),
		cmocka_unit_test(what_was_tried_is_told_in_order),
		cmocka_unit_test(rule_holds_before_its_time_and_no_longer),
		cmocka_unit_test(audit_leaves_the_bind_to_the_next_rule),
		cmocka_unit_test(reserve_grants_its_subject_and_denies_everyone_else),
		cmocka_unit_test(reserve_says_nothing_where_its_conditions_do_not_hold),
		cmocka_unit_test(others_of_a_reserve_may_be_exempted_by_a_nearer_rule),
		cmocka_unit_test(reserve_that_audits_still_grants),
		cmocka_unit_test(rewrite_stands_between_allow_and_grant),
		cmocka_unit_test(dual_stack_wildcard_takes_the_first_of_two_rewrites),
		cmocka_unit_test(every_failed_condition_is_told),
		cmocka_unit_test(v4_side_of_a_v6only_socket_is_not_told),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
