// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"
#include "images.h"

/* What `list` prints is policy of the same meaning. */
static void assert_same_when_read_again(const struct bc_policy *policy)
{
	_cleanup_(bc_policy_done) struct bc_policy again = {};
	_cleanup_(bc_text_done) struct bc_text text = {};

	for (size_t i = 0; i < policy->n; i++) {
		bc_format_rule(&text, policy, &policy->rules[i]);
		bc_text_add(&text, "\n", 1);
	}
	policy_from_text(&again, text.data ? text.data : "");
	assert_int_equal(again.n, policy->n);
	for (size_t i = 0; i < policy->n; i++)
		assert_true(bc_rule_digest(&again, &again.rules[i]) == bc_rule_digest(policy, &policy->rules[i]));
}

static void assert_round_trip(const char *text)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, back = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_error error = {};

	policy_from_text(&policy, text);
	image_from_policy(&image, &policy);
	if (bc_decompile(&image, &back, &error))
		fail_msg("%s: of\n%s", error.text, text);
	assert_int_equal(back.n, policy.n);
	assert_same_when_read_again(&back);
	for (size_t i = 0; i < policy.n; i++) {
		assert_true(bc_rule_digest(&back, &back.rules[i]) == bc_rule_digest(&policy, &policy.rules[i]));
		assert_int_equal(back.rules[i].line, policy.rules[i].line);
		assert_string_equal(bc_policy_source_of(&back, &back.rules[i]), SOURCE);
	}
	assert_true(bc_policy_digest(&back) == image.cells[1].about.digest);
}

static void rules_come_back_as_they_were(void **state)
{
	(void)state;
	assert_round_trip(mixed);
	assert_round_trip("grant port any\n");
	assert_round_trip("grant port 80-89,90-99\ndeny port 85-94\n");
	assert_round_trip("grant port 80\ngrant port 80\n");
	assert_round_trip("grant port 65535\ndeny port any\nallow port 1\n");
	assert_round_trip(scoped);
	assert_round_trip("reserve cgroup / port 80\nreserve user 5 port 80\nreserve group 5 cgroup / port 81\n");
	assert_round_trip("grant unit a.service port 80\ngrant cgroup /system.slice/a.service port 80\n");
	assert_round_trip("rewrite port 1 to :2\nrewrite port 1 to :2 hidden\nrewrite port 1 to 0.0.0.0\n"
			  "rewrite port 1 to ::\nrewrite port 1 to [::]:65535 log\n");
	assert_round_trip("mode audit\ndeny port 80\nreserve user 5 port 80-90\nallow port 85\n");
}

static void random_rules_come_back_as_they_were(void **state)
{
	uint64_t seed = 0xdec0;

	(void)state;
	for (int i = 0; i < 1500; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		random_policy(&seed, &unit_tables, 1 + random_below(&seed, 30), &text);
		assert_round_trip(text.data);
	}
}

static void sources_come_back_with_their_rules(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, back = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_report report = {};
	char name[300];

	(void)state;
	for (int i = 0; i < 300; i++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "\n\ngrant port %d\n", i + 1);

		memset(name, 'a' + i % 26, sizeof(name));
		snprintf(name + i % 200, 32, "%d.conf", i);
		assert_int_equal(bc_parse(&policy, name, text, len, 0, &report), 0);
	}
	image_from_policy(&image, &policy);
	assert_int_equal(bc_decompile(&image, &back, NULL), 0);
	for (int i = 0; i < 300; i++)
		assert_string_equal(bc_policy_source_of(&back, &back.rules[i]),
				    bc_policy_source_of(&policy, &policy.rules[i]));
}

static void name_of_a_scope_is_read_whole(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	char longest[BC_NAME_MAX + 1] = "", text[600], name[BC_SCOPE_NAME];

	(void)state;
	memset(longest, 'n', BC_NAME_MAX);
	snprintf(text, sizeof(text), "grant cgroup \"/%s/a b\" port 80\n", longest);
	image_from_text(&image, text);
	bc_scope_name(&image, BC_SCOPE_ROOT, name);
	assert_string_equal(name, "");
	bc_scope_name(&image, 2, name);
	assert_string_equal(name, longest);
	bc_scope_name(&image, 3, name);
	assert_string_equal(name, "a b");
}

static void empty_policy_comes_back_empty(void **state)
{
	(void)state;
	assert_round_trip("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_come_back_as_they_were),
		cmocka_unit_test(random_rules_come_back_as_they_were),
		cmocka_unit_test(sources_come_back_with_their_rules),
		cmocka_unit_test(name_of_a_scope_is_read_whole),
		/* Last: what the sanitizer finds ends the program. */
		cmocka_unit_test(empty_policy_comes_back_empty),
	};

	return cmocka_run_group_tests_name("decompile", tests, NULL, NULL);
}
