// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a policy would let somebody have the port that he holds. */
#include "pure/decompile.h"
#include "pure/hold.h"
#include "unit.h"

/* Alice (uid 1000) holds a TCP port; a capability is needed below 1024. */
static struct bc_held alice(unsigned port, const char *addr)
{
	return (struct bc_held){ .question = ask(1000, port, addr), .v6 = strchr(addr, ':'), .free_from = 1024 };
}

/* As commands do: the rules are those of the image. `line`: of the rule that decides, 0 for none. */
static void assert_held(const char *text, struct bc_held held, bool let, enum bc_verdict verdict, unsigned line)
{
	struct bc_policy policy = {};
	struct bc_cells image = {};
	struct bc_hold hold = {};
	struct bc_error error;
	unsigned found;

	image_from_text(&image, text);
	assert_int_equal(bc_decompile(&image, &policy, &error), 0);
	assert_int_equal(bc_hold_decide(&image, &policy, &held, &hold), 0);
	found = hold.rule == BC_RULE_NONE ? 0 : policy.rules[hold.rule].line;
	if (hold.let != let || hold.verdict != verdict || found != line)
		fail_msg("port %u: let %d, verdict %d of line %u, not %d, %d, %u, under:\n%s", held.question.port,
			 hold.let, hold.verdict, found, let, verdict, line, text);
	bc_policy_done(&policy);
	bc_cells_done(&image);
}

static void without_a_rule_the_kernel_decides(void **state)
{
	struct bc_held held = alice(443, "0.0.0.0");

	(void)state;
	assert_held("", held, false, BC_NONE, 0);
	assert_held("", alice(1023, "0.0.0.0"), false, BC_NONE, 0);
	assert_held("", alice(1024, "0.0.0.0"), true, BC_NONE, 0);
	assert_held("allow port 443\n", held, false, BC_ALLOW, 1);
	held.free_from = 443;
	assert_held("", held, true, BC_NONE, 0);
	held.free_from = 1024;
	held.binds_low = true;
	assert_held("", held, true, BC_NONE, 0);
	assert_held("allow port 443\n", held, true, BC_ALLOW, 1);
}

static void rules_decide_before_the_kernel(void **state)
{
	struct bc_held held = alice(8080, "0.0.0.0");

	(void)state;
	assert_held("grant user alice port 443\n", alice(443, "0.0.0.0"), true, BC_GRANT, 1);
	assert_held("grant user bob port 443\n", alice(443, "0.0.0.0"), false, BC_NONE, 0);
	held.binds_low = true;
	assert_held("deny user alice port 8080\n", held, false, BC_DENY, 1);
	assert_held("deny user alice port 8080 audit\n", held, true, BC_NONE, 0);
}

static void who_would_be_led_elsewhere_would_not_get_it(void **state)
{
	(void)state;
	assert_held("rewrite user alice port 443 to :8443\n", alice(443, "0.0.0.0"), false, BC_REWRITE, 1);
	assert_held("rewrite user alice port 443 to 127.0.0.1\n", alice(443, "0.0.0.0"), false, BC_REWRITE, 1);
	assert_held("rewrite user alice port 443 to :443\n", alice(443, "0.0.0.0"), true, BC_REWRITE, 1);
	assert_held("rewrite user alice port 443 to 127.0.0.1\n", alice(443, "127.0.0.1"), true, BC_REWRITE, 1);
}

static void who_is_led_to_it_would_get_it(void **state)
{
	static const char port[] = "rewrite user alice port 8080-8090 to :80\n",
			  both[] = "rewrite user alice port 8080 addr 10.0.0.0/8 to 127.0.0.1:80\n",
			  addr[] = "rewrite user alice port 80 to [::1]\n";

	(void)state;
	assert_held(port, alice(80, "0.0.0.0"), true, BC_REWRITE, 1);
	assert_held(port, alice(80, "::1"), true, BC_REWRITE, 1);
	assert_held(port, alice(81, "::1"), false, BC_NONE, 0);
	assert_held("rewrite user bob port 8080 to :80\n", alice(80, "::1"), false, BC_NONE, 0);
	assert_held(both, alice(80, "127.0.0.1"), true, BC_REWRITE, 1);
	assert_held(both, alice(80, "127.0.0.2"), false, BC_NONE, 0);
	assert_held(both, alice(80, "::1"), false, BC_NONE, 0);
	assert_held(addr, alice(80, "::1"), true, BC_REWRITE, 1);
	assert_held(addr, alice(80, "::2"), false, BC_REWRITE, 1);
	/* A nearer rule keeps him from being led there. */
	assert_held("rewrite user alice port 8080 to :80\ndeny user alice port 8080 proto tcp\n", alice(80, "::1"),
		    false, BC_NONE, 0);
}

/* Rules that are nearer may leave some of the ports alone. */
static void any_port_may_be_the_one_that_led_to_it(void **state)
{
	static const char
		first[] = "rewrite user alice port 80-90 to :8080\ndeny user alice port 80\ndeny port 8080\n",
		last[] = "rewrite user alice port 80-90 to :8080\ndeny user alice port 80-89\ndeny port 8080\n",
		midst[] = "rewrite user alice port 80-90 to :8080\ndeny user alice port 80-84,86-90\n"
			  "deny port 8080\n",
		none[] = "rewrite user alice port 80-90 to :8080\ndeny user alice port 80-84,85-90\n"
			 "deny port 8080\n",
		chosen[] = "rewrite user alice port any to :8080\ndeny user alice port 1-65535\n",
		others[] = "rewrite port 80-90 to :8080\nreserve user bob port 80-84\ndeny port 8080\n";

	(void)state;
	assert_held(first, alice(8080, "0.0.0.0"), true, BC_REWRITE, 1);
	assert_held(first, alice(8080, "::"), true, BC_REWRITE, 1);
	assert_held(first, alice(8081, "0.0.0.0"), true, BC_NONE, 0);
	assert_held(last, alice(8080, "0.0.0.0"), true, BC_REWRITE, 1);
	assert_held(midst, alice(8080, "0.0.0.0"), true, BC_REWRITE, 1);
	assert_held(none, alice(8080, "0.0.0.0"), false, BC_DENY, 3);
	assert_held(chosen, alice(8080, "0.0.0.0"), true, BC_REWRITE, 1);
	assert_held(others, alice(8080, "0.0.0.0"), true, BC_REWRITE, 1);
}

static void any_address_may_be_the_one_that_led_to_it(void **state)
{
	static const char plain[] = "rewrite user alice port 80 to 127.0.0.1:8080\ndeny port 8080\n"
				    "deny user alice port 80 addr 0.0.0.0\n",
			  within[] = "rewrite user alice port 80 addr 10.0.0.0/30 to 127.0.0.1\ndeny port 80\n"
				     "deny user alice port 80 addr 10.0.0.0/31\n"
				     "deny user alice port 80 addr 10.0.0.3\n",
			  wholly[] = "rewrite user alice port 80 addr 10.0.0.0/31 to 127.0.0.1\ndeny port 80\n"
				     "deny user alice port 80 addr 10.0.0.0\n"
				     "deny user alice port 80 addr 10.0.0.1\n",
			  sides[] = "rewrite user alice port 80 to [::2]\ndeny port 80\n"
				    "deny user alice port 80 addr 0.0.0.0/0\n",
			  mapped[] = "rewrite user alice port 80 to [::2]\ndeny port 80\n"
				     "deny user alice port 80 addr ::/0\n",
			  both[] = "rewrite user alice port 80-81 to [::2]:8080\ndeny port 8080\n"
				   "deny user alice port 80\ndeny user alice port 81 addr ::/1\n"
				   "deny user alice port 81 addr 0.0.0.0/0\n";
	struct bc_held held = alice(80, "::2");

	(void)state;
	assert_held(plain, alice(8080, "127.0.0.1"), true, BC_REWRITE, 1);
	assert_held(within, alice(80, "127.0.0.1"), true, BC_REWRITE, 1);
	assert_held(wholly, alice(80, "127.0.0.1"), false, BC_DENY, 2);
	assert_held(sides, held, true, BC_REWRITE, 1);
	assert_held(mapped, held, true, BC_REWRITE, 1);
	held.question.v6only = true;
	assert_held(sides, held, true, BC_REWRITE, 1);
	assert_held(mapped, held, false, BC_DENY, 3);
	assert_held(both, alice(8080, "::2"), true, BC_REWRITE, 1);
}

/* It is the socket that takes the IPv4 port too. */
static void dual_stack_takes_both(void **state)
{
	struct bc_held held = alice(443, "::");

	(void)state;
	assert_held("grant port 443 addr ::/0\n", held, false, BC_NONE, 0);
	held.question.v6only = true;
	assert_held("grant port 443 addr ::/0\n", held, true, BC_GRANT, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rule_the_kernel_decides),
		cmocka_unit_test(rules_decide_before_the_kernel),
		cmocka_unit_test(who_would_be_led_elsewhere_would_not_get_it),
		cmocka_unit_test(who_is_led_to_it_would_get_it),
		cmocka_unit_test(any_port_may_be_the_one_that_led_to_it),
		cmocka_unit_test(any_address_may_be_the_one_that_led_to_it),
		cmocka_unit_test(dual_stack_takes_both),
	};

	return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
