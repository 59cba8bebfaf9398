// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

static char *formatted(const struct bc_policy *policy, size_t rule)
{
	struct bc_text text = {};

	bc_format_rule(&text, policy, &policy->rules[rule]);
	assert_false(text.failed);
	return text.data;
}

static uint64_t digest_of(const char *text)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	policy_from_text(&policy, text);
	return bc_policy_digest(&policy);
}

static void rule_is_written_in_one_fixed_order(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "grant port 443", "grant port 443" },
		{ "grant port 443 user alice", "grant user alice port 443" },
		{ "allow user 007 port 80", "allow user 7 port 80" },
		{ "deny errno EPERM netns any addr 10.0.0.0/8 proto udp port 9,1-3 user bob",
		  "deny user bob port 1-3,9 proto udp addr 10.0.0.0/8 netns any errno EPERM" },
		{ "deny port any errno EACCES netns host", "deny port any" },
		{ "grant port 1-65535", "grant port 1-65535" },
		{ "grant port 80-80,0081", "grant port 80,81" },
		{ "grant port 1 proto tcp addr ::ffff:192.0.2.1", "grant port 1 proto tcp addr 192.0.2.1" },
		{ "grant port 1 addr 0.0.0.0/0", "grant port 1 addr 0.0.0.0/0" },
		{ "grant port 1 addr ::ffff:0:0/96", "grant port 1 addr 0.0.0.0/0" },
		{ "grant port 1 addr ::/0", "grant port 1 addr ::/0" },
		{ "grant port 1 addr 2001:DB8:0:0::/32", "grant port 1 addr 2001:db8::/32" },
		{ "grant port 1 addr 192.0.2.1/32", "grant port 1 addr 192.0.2.1" },
		{ "grant port 1 addr ::1/128", "grant port 1 addr ::1" },
		{ "grant port 1 group web", "grant group web port 1" },
		{ "grant group 0 port 1", "grant group 0 port 1" },
		{ "grant port 1 unit a.service user bob", "grant user bob unit a.service port 1" },
		{ "grant port 1 unit dev-\\x2d.mount", "grant unit dev-\\x2d.mount port 1" },
		{ "grant port 1 cgroup /a/b", "grant cgroup /a/b port 1" },
		{ "grant port 1 cgroup /", "grant cgroup / port 1" },
		{ "grant port 1 cgroup \"/a b/\\\\x2d\"", "grant cgroup \"/a b/\\\\x2d\" port 1" },
		{ "grant port 1 cgroup /a\\x2db", "grant cgroup /a\\x2db port 1" },
		{ "rewrite to :0080 port 1", "rewrite port 1 to :80" },
		{ "rewrite to 10.0.0.1 port 1", "rewrite port 1 to 10.0.0.1" },
		{ "rewrite log to [::ffff:10.0.0.1]:80 hidden port 1", "rewrite port 1 to 10.0.0.1:80 hidden log" },
		{ "rewrite to [::1] port 1", "rewrite port 1 to ::1" },
		{ "rewrite to [2001:DB8::0:1]:80 port 1", "rewrite port 1 to [2001:db8::1]:80" },
		{ "reserve port 1 errno EPERM audit user 5 log", "reserve user 5 port 1 errno EPERM log audit" },
		{ "reserve port 1 errno EACCES user 5", "reserve user 5 port 1" },
		{ "deny audit until 2001-09-09T03:46:40+02:00 log port 1",
		  "deny port 1 until 2001-09-09T01:46:40Z log audit" },
		{ "grant until +1h30m port 1", "grant port 1 until 1970-01-01T01:30:00Z" },
		{ "deny audit log until 2030-01-01T00:00:00.25Z errno EPERM netns any addr 10.0.0.0/8 proto udp port "
		  "9,1-3 "
		  "cgroup /a group web",
		  "deny group web cgroup /a port 1-3,9 proto udp addr 10.0.0.0/8 netns any errno EPERM until "
		  "2030-01-01T00:00:00.25Z log audit" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_free_ char *line = NULL, *text = NULL;

		assert_true(asprintf(&line, "%s\n", cases[i].from) > 0);
		policy_from_text(&policy, line);
		text = formatted(&policy, 0);
		assert_string_equal(text, cases[i].to);
	}
}

/* What `list` prints can be policy again. */
static void random_rules_are_read_back_as_they_were_written(void **state)
{
	uint64_t seed = 0xf0a7;

	(void)state;
	for (int i = 0; i < 300; i++) {
		_cleanup_(bc_policy_done) struct bc_policy policy = {}, again = {};
		_cleanup_(bc_text_done) struct bc_text text = {}, back = {};

		random_policy(&seed, &unit_tables, 30, &text);
		policy_from_text(&policy, text.data);
		for (size_t k = 0; k < policy.n; k++) {
			bc_format_rule(&back, &policy, &policy.rules[k]);
			bc_text_add(&back, "\n", 1);
		}
		policy_from_text(&again, back.data);
		assert_int_equal(again.n, policy.n);
		for (size_t k = 0; k < policy.n; k++)
			if (bc_rule_digest(&policy, &policy.rules[k]) != bc_rule_digest(&again, &again.rules[k]))
				fail_msg("line %zu of\n%sis not that of\n%s", k + 1, back.data, text.data);
	}
}

static void name_is_quoted_only_when_it_must_be(void **state)
{
	static const struct {
		const char *name, *word;
	} cases[] = {
		{ "bob", "bob" },
		{ "a\\x2db", "a\\x2db" },
		{ "two words", "\"two words\"" },
		{ "#hash", "\"#hash\"" },
		{ "h#sh", "h#sh" },
		{ "\"q", "\"\\\"q\"" },
		{ "q\"q", "q\"q" },
		{ "b\\ s", "\"b\\\\ s\"" },
		{ "DOM\\bob", "DOM\\bob" },
		{ "D M\\\"", "\"D M\\\\\\\"\"" },
		{ "port", "port" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct bc_word words[] = { { "grant", 5, 1 },
						 { "user", 4, 7 },
						 { cases[i].name, strlen(cases[i].name), 12 },
						 { "port", 4, 20 },
						 { "80", 2, 25 } };
		_cleanup_(bc_policy_done) struct bc_policy policy = {}, again = {};
		_cleanup_(bc_report_done) struct bc_report report = {};
		const struct bc_place place = { .source = SOURCE, .line = 1 };
		_cleanup_free_ char *text = NULL, *expected = NULL, *line = NULL;

		assert_int_equal(bc_parse_words(&policy, &place, words, 5, NULL), 0);
		text = formatted(&policy, 0);
		assert_true(asprintf(&expected, "grant user %s port 80", cases[i].word) > 0);
		assert_string_equal(text, expected);
		assert_true(asprintf(&line, "%s\n", text) > 0);
		assert_int_equal(bc_parse(&again, SOURCE, line, strlen(line), 0, &report), 0);
		assert_string_equal(bc_policy_name(&again, &again.rules[0]), cases[i].name);
	}
}

/* Each line means something else. */
static const char *const meanings[] = {
	"grant port 80\n",
	"allow port 80\n",
	"deny port 80\n",
	"deny port 80 errno EPERM\n",
	"grant port 81\n",
	"grant port 80,81\n",
	"grant port 80-81\n",
	"grant port any\n",
	"grant port 1-65535\n",
	"grant user 0 port 80\n",
	"grant user alice port 80\n",
	"grant port 80 proto tcp\n",
	"grant port 80 proto udp\n",
	"grant port 80 netns any\n",
	"grant port 80 addr 0.0.0.0/0\n",
	"grant port 80 addr ::/0\n",
	"grant port 80 addr ::\n",
	"grant port 80 addr 0.0.0.0\n",
	"grant port 80 addr 10.0.0.0/8\n",
	"grant port 80 addr 10.0.0.0/9\n",
	"grant group 0 port 80\n",
	"grant group 1000 port 80\n",
	"grant unit a.service port 80\n",
	"grant unit b.service port 80\n",
	"grant cgroup /system.slice port 80\n",
	"grant cgroup /a/b port 80\n",
	"grant cgroup /a port 80\n",
	"grant user 1000 cgroup /a port 80\n",
	"rewrite port 80 to :81\n",
	"rewrite port 80 to :82\n",
	"rewrite port 80 to :81 hidden\n",
	"rewrite port 80 to ::\n",
	"rewrite port 80 to 0.0.0.0\n",
	"rewrite port 80 to ::1\n",
	"rewrite port 80 to [::1]:81\n",
	"rewrite port 80 to 10.0.0.1:81\n",
	"reserve user 1000 port 80\n",
	"reserve user 1000 port 80 errno EPERM\n",
	"reserve user 1000 port 80 audit\n",
	"reserve group 1000 port 80\n",
	"reserve cgroup / port 80\n",
	"grant port 80 until 2030-01-01T00:00:00Z\n",
	"grant port 80 until 2030-01-01T00:00:01Z\n",
	"grant port 80 log\n",
	"deny port 80 log\n",
	"deny port 80 audit\n",
	"deny port 80 log audit\n",
};

static void rules_of_other_meaning_have_other_digests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		for (size_t k = 0; k < i; k++)
			if (digest_of(meanings[i]) == digest_of(meanings[k]))
				fail_msg("one digest for %sand %s", meanings[i], meanings[k]);
}

static void digest_takes_no_notice_of_spelling_and_place(void **state)
{
	static const char *const same[][2] = {
		{ "grant port 80\n", "\n# comment\n  grant\tport 0080   # web\n" },
		{ "grant user alice port 80\n", "grant port 80 user 1000\n" },
		{ "deny port 80\n", "deny port 80 errno EACCES netns host\n" },
		{ "grant port 3,1\n", "grant port 1-1,3\n" },
		{ "grant port 80 addr ::ffff:10.0.0.1\n", "grant port 80 addr 10.0.0.1/32\n" },
		{ "grant port 80\ndeny port 81\n", "deny port 81\ngrant port 80\n" },
		{ "grant group web port 80\n", "grant port 80 group 2001\n" },
		{ "grant unit a.service port 80\n", "grant cgroup /system.slice/a.service port 80\n" },
		{ "grant cgroup / port 80\n", "grant port 80\n" },
		{ "rewrite port 80 to [::ffff:10.0.0.1]:81 hidden log\n",
		  "rewrite log port 80 to 10.0.0.1:81 hidden\n" },
		{ "grant port 80 until +1h\n", "grant port 80 until 1970-01-01T01:00:00.000Z\n" },
		{ "mode audit\ndeny port 80\n", "deny audit port 80\n" },
		{ "reserve user 5 port 80\n", "reserve user 5 port 80 errno EACCES\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (digest_of(same[i][0]) != digest_of(same[i][1]))
			fail_msg("two digests for %sand %s", same[i][0], same[i][1]);
	assert_true(digest_of("grant port 80\n") != digest_of("grant port 80\ngrant port 80\n"));
}

/* Hit counters and `--id` outlive an upgrade: what was a rule's digest before a clause was added is so ever after. */
static void digest_of_a_rule_stays_what_it_was(void **state)
{
	static const struct {
		const char *text;
		uint64_t digest;
	} cases[] = {
		{ "grant port 80\n", 0x821487004bb6a925 },
		{ "allow user 1000 port 80,8000-8100 netns any\n", 0x3d6ac3004eb8420d },
		{ "deny user 1001 port 1-3,9 proto udp addr 10.0.0.0/8 netns any errno EPERM\n", 0xd04c089a916000b2 },
		{ "grant port any addr 2001:db8::/33 proto tcp\n", 0x39c6805b9eedc507 },
		{ "deny port 80\n", 0x9b44c7b7ae2145d2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (digest_of(cases[i].text) != cases[i].digest)
			fail_msg("%#jx for %s", (uintmax_t)digest_of(cases[i].text), cases[i].text);
}

static void rule_id_is_the_upper_half_of_its_digest(void **state)
{
	(void)state;
	assert_int_equal(bc_rule_id(0x123456789abcdef0u), 0x12345678);
}

static void source_is_kept_once(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	uint32_t a = 7, b = 7, again = 7;

	(void)state;
	assert_int_equal(bc_policy_source(&policy, "a", &a), 0);
	assert_int_equal(bc_policy_source(&policy, "b", &b), 0);
	assert_int_equal(bc_policy_source(&policy, "a", &again), 0);
	assert_int_equal(a, 0);
	assert_int_equal(b, 1);
	assert_int_equal(again, 0);
	assert_int_equal(policy.nsources, 2);
}

static void more_sources_than_the_image_can_number_are_refused(void **state)
{
	static char *names[UINT16_MAX];
	struct bc_policy policy = { .sources = names, .nsources = UINT16_MAX, .sources_room = UINT16_MAX };
	uint32_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		names[i] = "other";
	assert_int_equal(bc_policy_source(&policy, "one more", &number), -E2BIG);
	assert_int_equal(number, 7);
	assert_int_equal(bc_policy_source(&policy, "other", &number), 0);
	assert_int_equal(number, UINT16_MAX - 1);
}

static void name_repeated_at_once_is_stored_once(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	uint32_t first = bc_policy_string(&policy, "xab", 3);
	uint32_t tail = bc_policy_string(&policy, "ab", 2);

	(void)state;
	assert_true(first && tail && first != tail);
	assert_int_equal(bc_policy_string(&policy, "ab", 2), tail);
	assert_int_not_equal(bc_policy_string(&policy, "b", 1), tail + 1);
	assert_string_equal(policy.strings.data + first, "xab");
	assert_string_equal(policy.strings.data + tail, "ab");
}

static void below_a_cgroup_is_what_is_behind_a_slash(void **state)
{
	static const struct {
		const char *cgroup, *path;
		bool within;
	} all[] = {
		{ "/a", "/a", true },	 { "/a/b", "/a", true },  { "/ab", "/a", false }, { "/", "/a", false },
		{ "/b/a", "/a", false }, { "/a", "/a/b", false }, { "/", "/", true },	  { "/a", "/", true },
		{ NULL, "/a", false },	 { NULL, "/", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (bc_path_within(all[i].cgroup, all[i].path) != all[i].within)
			fail_msg("%s within %s", all[i].cgroup ?: "(none)", all[i].path);
}

static void errnos_and_verbs_have_their_names(void **state)
{
	static const int numbers[] = { EACCES, EADDRINUSE, EADDRNOTAVAIL, EPERM };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *name = bc_errno_name(numbers[i]);

		assert_int_equal(bc_errno_by_name(name, strlen(name)), numbers[i]);
		assert_int_equal(bc_errno_by_name(name, strlen(name) - 1), 0);
	}
	assert_null(bc_errno_name(EINVAL));
	assert_null(bc_errno_name(0));
	assert_int_equal(bc_errno_by_name("EINVAL", 6), 0);
	assert_int_equal(bc_errno_by_name("", 0), 0);
	assert_string_equal(bc_verb_name(BC_VERB_GRANT), "grant");
	assert_string_equal(bc_verb_name(BC_VERB_ALLOW), "allow");
	assert_string_equal(bc_verb_name(BC_VERB_DENY), "deny");
	assert_string_equal(bc_verb_name(BC_VERB_REWRITE), "rewrite");
	assert_string_equal(bc_verb_name(BC_VERB_RESERVE), "reserve");
	assert_string_equal(bc_verb_name(BC_VERB_RESERVE + 1), "?");
	assert_int_equal(bc_verb_verdict(BC_VERB_REWRITE), BC_REWRITE);
	assert_int_equal(bc_verb_verdict(BC_VERB_RESERVE), BC_GRANT);
	assert_int_equal(bc_verb_verdict(BC_VERB_RESERVE + 1), BC_DENY);
	assert_int_equal(bc_verb_verdict(BC_VERB_GRANT), BC_GRANT);
	assert_int_equal(bc_verb_verdict(BC_VERB_ALLOW), BC_ALLOW);
	assert_int_equal(bc_verb_verdict(BC_VERB_DENY), BC_DENY);
	assert_int_equal(bc_verb_verdict(0), BC_DENY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_is_written_in_one_fixed_order),
		cmocka_unit_test(random_rules_are_read_back_as_they_were_written),
		cmocka_unit_test(name_is_quoted_only_when_it_must_be),
		cmocka_unit_test(rules_of_other_meaning_have_other_digests),
		cmocka_unit_test(digest_takes_no_notice_of_spelling_and_place),
		cmocka_unit_test(digest_of_a_rule_stays_what_it_was),
		cmocka_unit_test(rule_id_is_the_upper_half_of_its_digest),
		cmocka_unit_test(source_is_kept_once),
		cmocka_unit_test(more_sources_than_the_image_can_number_are_refused),
		cmocka_unit_test(name_repeated_at_once_is_stored_once),
		cmocka_unit_test(below_a_cgroup_is_what_is_behind_a_slash),
		cmocka_unit_test(errnos_and_verbs_have_their_names),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
