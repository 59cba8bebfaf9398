// SPDX-License-Identifier: GPL-2.0-or-later
/* What would permit a bind that was refused: the shortest rule that does, and which rules have to go before. */
#include "pure/advice.h"
#include "reference.h"
#include "unit.h"

/* The policy as the advice makes it: the lines of what is taken are empty, what is added stands behind the others. */
static void follow(const struct bc_policy *policy, const char *text, const struct bc_asked *asked,
		   const struct bc_advice *advice, struct bc_text *ret)
{
	const struct bc_question *question = &asked->question;

	for (size_t i = 0, line = 0; text[i]; line++) {
		size_t len = strcspn(text + i, "\n");
		bool goes = false;

		for (size_t k = 0; k < advice->ntaken; k++)
			goes |= bc_rule_digest(policy, &policy->rules[line]) ==
				bc_rule_digest(policy, &policy->rules[advice->taken[k]]);
		bc_text_add(ret, text + i, goes ? 0 : len);
		bc_text_addf(ret, "\n");
		i += len + 1;
	}
	for (int i = 0; i < (advice->adds ? 1 + advice->both : 0); i++) {
		const uint32_t v4_side[4] = { 0, 0, 0xffff, 0 };

		bc_text_addf(ret, "%s user %u port ", bc_verb_name(advice->verb), question->uid);
		bc_format_ports(ret, &advice->ports, 1);
		bc_text_addf(ret, " proto %s%s", question->proto == BC_TCP ? "tcp" : "udp",
			     question->host_netns ? "" : " netns any");
		if (advice->addr) {
			bc_text_addf(ret, " addr ");
			bc_format_addr(ret, i ? v4_side : question->addr, i || question->v4, 128);
		}
		if (advice->cgroup) {
			bc_text_addf(ret, " cgroup ");
			bc_format_word(ret, advice->cgroup);
		}
		bc_text_addf(ret, "\n");
	}
}

static bool goes_through(const char *text, const struct bc_asked *asked)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct reference_answer answer;

	policy_from_text(&policy, text);
	reference_ask(&policy, &asked->question, &answer);
	if (asked->grant)
		return answer.verdict == BC_GRANT || answer.verdict == BC_REWRITE;
	return answer.verdict != BC_DENY;
}

/* Asks what would permit it, and whether that does; the outcome is the policy with the advice. */
static void advise(const char *text, const struct bc_asked *asked, struct bc_text *ret)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_advice_done) struct bc_advice advice = {};
	_cleanup_(bc_text_done) struct bc_text bind = {};

	policy_from_text(&policy, text);
	random_describe(&bind, &asked->question);
	if (bc_advise(&policy, asked, &advice))
		fail_msg("nothing helps %s in:\n%s", bind.data, text);
	follow(&policy, text, asked, &advice, ret);
	if (!goes_through(ret->data, asked))
		fail_msg("%s does not go through in:\n%s", bind.data, ret->data);
}

static void assert_advised(const char *text, struct bc_asked asked, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text got = {};

	assert_false(goes_through(text, &asked));
	advise(text, &asked, &got);
	if (strcmp(got.data, expected))
		fail_msg("advised:\n%snot:\n%s", got.data, expected);
}

/* Alice's, with the capability if the port takes one. */
static struct bc_asked alice(unsigned port, const char *addr, const char *cgroup)
{
	struct bc_asked asked = { .question = ask(1000, port, addr) };

	asked.question.gid = 2000;
	asked.question.cgroup = cgroup;
	return asked;
}

static struct bc_asked poor(unsigned port, const char *addr, const char *cgroup)
{
	struct bc_asked asked = alice(port, addr, cgroup);

	asked.grant = true;
	return asked;
}

#define ADDED(verb, rest) verb " user 1000 port " rest "\n"

static void user_and_port_do_where_nothing_is_nearer(void **state)
{
	(void)state;
	assert_advised("deny port any\n", alice(8080, "0.0.0.0", NULL),
		       "deny port any\n" ADDED("allow", "8080 proto tcp"));
	assert_advised("deny user alice port 8080\n", alice(8080, "::1", "/a"),
		       "deny user alice port 8080\n" ADDED("allow", "8080 proto tcp"));
	assert_advised("deny group staff port 8080 proto tcp\n", alice(8080, "0.0.0.0", NULL),
		       "deny group staff port 8080 proto tcp\n" ADDED("allow", "8080 proto tcp"));
	assert_advised("reserve user bob port 8080 proto tcp\n", alice(8080, "0.0.0.0", NULL),
		       "reserve user bob port 8080 proto tcp\n" ADDED("allow", "8080 proto tcp"));
	assert_advised("reserve cgroup /a port 80 addr 0.0.0.0\n", poor(80, "0.0.0.0", "/b"),
		       "reserve cgroup /a port 80 addr 0.0.0.0\n" ADDED("grant", "80 proto tcp"));
	assert_advised("deny cgroup /b port any\ndeny user bob port any\n", poor(80, "0.0.0.0", "/a"),
		       "deny cgroup /b port any\ndeny user bob port any\n" ADDED("grant", "80 proto tcp"));
	assert_advised("", poor(80, "::", NULL), ADDED("grant", "80 proto tcp"));
}

static void cgroup_is_named_where_a_deeper_one_decides(void **state)
{
	(void)state;
	assert_advised("deny cgroup /a port any\n", alice(8080, "0.0.0.0", "/a/b/c"),
		       "deny cgroup /a port any\n" ADDED("allow", "8080 proto tcp cgroup /a"));
	assert_advised("deny port any\ndeny cgroup /a port any\ndeny group staff cgroup /a/b port 1-9000\n",
		       alice(8080, "0.0.0.0", "/a/b/c"),
		       "deny port any\ndeny cgroup /a port any\ndeny group staff cgroup /a/b port 1-9000\n" ADDED(
			       "allow", "8080 proto tcp cgroup /a/b"));
	assert_advised(
		"deny unit a.service port any\n", alice(8080, "0.0.0.0", "/system.slice/a.service"),
		"deny unit a.service port any\n" ADDED("allow", "8080 proto tcp cgroup /system.slice/a.service"));
	/* It is left to the kernel, which refuses it. */
	assert_advised("allow cgroup /a port any\n", poor(80, "0.0.0.0", "/a"),
		       "allow cgroup /a port any\n" ADDED("grant", "80 proto tcp cgroup /a"));
	/* That of a group he may be in. */
	assert_advised("deny group web cgroup /a port any\ndeny port any\n", alice(8080, "0.0.0.0", "/a"),
		       "deny group web cgroup /a port any\ndeny port any\n" ADDED("allow", "8080 proto tcp cgroup /a"));
}

static void address_is_named_where_one_decides(void **state)
{
	(void)state;
	assert_advised("deny user alice port 80 addr 127.0.0.1\n", alice(80, "127.0.0.1", NULL),
		       "deny user alice port 80 addr 127.0.0.1\n" ADDED("allow", "80 proto tcp addr 127.0.0.1"));
	assert_advised("deny user alice cgroup /a port 80 proto tcp addr 127.0.0.0/8\n", alice(80, "127.0.0.1", "/a"),
		       "deny user alice cgroup /a port 80 proto tcp addr 127.0.0.0/8\n" ADDED(
			       "allow", "80 proto tcp addr 127.0.0.1 cgroup /a"));
	/* Either side of a dual-stack bind has its address. */
	assert_advised("deny user alice port 80 addr 0.0.0.0/0\n", poor(80, "::", NULL),
		       "deny user alice port 80 addr 0.0.0.0/0\n" ADDED("grant", "80 proto tcp addr ::")
			       ADDED("grant", "80 proto tcp addr 0.0.0.0"));
	/* Those of everyone come behind the user. */
	assert_advised("deny port 80 proto tcp addr 127.0.0.1\n", alice(80, "127.0.0.1", NULL),
		       "deny port 80 proto tcp addr 127.0.0.1\n" ADDED("allow", "80 proto tcp"));
}

static void rule_of_equal_rank_has_to_go(void **state)
{
	struct bc_asked beyond = alice(80, "127.0.0.1", NULL);

	(void)state;
	assert_advised("deny user alice port 8080 proto tcp\n", alice(8080, "0.0.0.0", NULL), "\n");
	/* The kernel's own rule is none of ours, nor is a rule for more. */
	assert_advised("deny port any\ndeny user alice port 8080 proto tcp\n", alice(8080, "0.0.0.0", NULL),
		       "deny port any\n\n" ADDED("allow", "8080 proto tcp"));
	assert_advised("allow user alice port 80 proto tcp\n", poor(80, "0.0.0.0", NULL),
		       "\n" ADDED("grant", "80 proto tcp"));
	assert_advised("deny user alice port 80 proto tcp\ngrant port 80\n", poor(80, "0.0.0.0", NULL),
		       "\ngrant port 80\n");
	assert_advised("deny user alice port 80 proto tcp\ngrant group staff port 80\n", poor(80, "0.0.0.0", NULL),
		       "\ngrant group staff port 80\n");
	/* Whether that one would be his, nobody knows. */
	assert_advised("deny user alice port 80 proto tcp\ngrant group web port 80\n", poor(80, "0.0.0.0", NULL),
		       "\ngrant group web port 80\n" ADDED("grant", "80 proto tcp"));
	assert_advised("deny user alice port 80 proto tcp addr 127.0.0.1\n", beyond, "\n");
	beyond.question.host_netns = false;
	assert_advised("deny user alice port 80 proto tcp netns any\ndeny port 80 netns any\n", beyond,
		       "\ndeny port 80 netns any\n" ADDED("allow", "80 proto tcp netns any"));
	/* Once and again. */
	assert_advised("deny user alice port 80 proto tcp\ndeny user alice port 80 proto tcp\n"
		       "deny user alice port 80,81 proto tcp\n",
		       alice(80, "0.0.0.0", NULL), "\n\n\n");
}

static void what_does_not_refuse_is_left_alone(void **state)
{
	struct bc_asked asked = alice(80, "0.0.0.0", "/a");

	(void)state;
	asked.question.now = 2000 * BC_SECOND;
	assert_advised(
		"deny port 80\ndeny user alice cgroup /a port 80 proto tcp audit\n", asked,
		"deny port 80\ndeny user alice cgroup /a port 80 proto tcp audit\n" ADDED("allow", "80 proto tcp"));
	assert_advised("deny port 80\ndeny user alice port 80 proto tcp until 1970-01-01T00:00:01Z\n", asked,
		       "deny port 80\ndeny user alice port 80 proto tcp until 1970-01-01T00:00:01Z\n" ADDED(
			       "allow", "80 proto tcp"));
	assert_advised("deny port 80\ndeny user alice port 80 proto tcp until 1970-01-01T01:00:00Z\n", asked,
		       "deny port 80\n\n" ADDED("allow", "80 proto tcp"));
}

static void port_0_and_what_is_chosen_for_it_take_more_ports(void **state)
{
	struct bc_asked chosen = alice(40000, "0.0.0.0", NULL);

	(void)state;
	chosen.chosen = true;
	assert_advised("deny port any\n", alice(0, "0.0.0.0", NULL), "deny port any\n" ADDED("allow", "any proto tcp"));
	assert_advised("deny user alice port any proto tcp\n", alice(0, "0.0.0.0", NULL), "\n");
	assert_advised("deny port 30000-65535\n", chosen,
		       "deny port 30000-65535\n" ADDED("allow", "30000-65535 proto tcp"));
	assert_advised("reserve user bob port 80,40000\n", chosen,
		       "reserve user bob port 80,40000\n" ADDED("allow", "40000 proto tcp"));
	assert_advised("deny user alice port 30000-65535 proto tcp\n", chosen, "\n");
}

/* Rules that are about the same, so that one is as specific as another. */
static struct random_tables few_tables(void)
{
	static const char *const prefixes[] = { "0.0.0.0", "::", "0.0.0.0/0", "::/0" }, *const addrs[] = { "0.0.0.0",
													   "::" };
	struct random_tables few = unit_tables;

	few.nusers = 1;
	few.depth = few.nnames = 1;
	few.nunits = 0;
	few.ports = (struct bc_range){ 1, 1 };
	few.nfar = 1;
	few.prefixes = prefixes;
	few.nprefixes = ARRAY_SIZE(prefixes);
	few.addrs = addrs;
	few.naddrs = ARRAY_SIZE(addrs);
	return few;
}

/* Of whatever a policy refuses; the groups that are not asked about are those of the bind. */
static void whatever_is_advised_helps(void **state)
{
	const struct random_tables few = few_tables();
	unsigned refused = 0, taken = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		const struct random_tables *tables = i % 2 ? &few : &unit_tables;
		uint64_t seed = random_state(0xad71ce, i);
		_cleanup_(bc_text_done) struct bc_text text = {};

		random_policy(&seed, tables, 1 + random_below(&seed, 30), &text);
		for (unsigned k = 0; k < 20; k++) {
			_cleanup_(bc_text_done) struct bc_text got = {};
			struct bc_asked asked = {};
			struct random_bind bind;

			random_ask(&seed, tables, &bind);
			asked.question = bind.question;
			asked.grant = random_below(&seed, 2);
			asked.chosen = !asked.grant && asked.question.port && !random_below(&seed, 4);
			if (goes_through(text.data, &asked))
				continue;
			advise(text.data, &asked, &got);
			refused++;
			taken += strncmp(got.data, text.data, text.len) != 0;
		}
	}
	print_message("# %u binds that were refused, %u of them by rules that have to go\n", refused, taken);
	assert_true(refused > 5000 && taken > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_and_port_do_where_nothing_is_nearer),
		cmocka_unit_test(cgroup_is_named_where_a_deeper_one_decides),
		cmocka_unit_test(address_is_named_where_one_decides),
		cmocka_unit_test(rule_of_equal_rank_has_to_go),
		cmocka_unit_test(what_does_not_refuse_is_left_alone),
		cmocka_unit_test(port_0_and_what_is_chosen_for_it_take_more_ports),
		cmocka_unit_test(whatever_is_advised_helps),
	};

	return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
