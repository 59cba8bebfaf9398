// SPDX-License-Identifier: GPL-2.0-or-later
/* What is learned permits what was seen and nothing beside it, and is text that means that wherever names come from. */
#include "unit.h"

#include "pure/learned.h"
#include "pure/moment.h"

#define START (UINT64_C(1795514400) * BC_SECOND) /* 2026-11-24T10:00:00Z */

/* The users that unit.h knows. */
static char *name_of(uint32_t uid)
{
	static const char *const names[] = { "alice", "bob", "carol" };

	return uid >= 1000 && uid < 1003 ? strdup(names[uid - 1000]) : NULL;
}

static const struct bc_learned_form plain = { .chosen = { 40000, 40009 }, .user = name_of };

/* An unprivileged user's TCP bind of a high port in the initial network namespace, that nothing refused. */
static struct bc_event event_of(uint32_t uid, const char *addr, uint16_t port)
{
	struct bc_event event = {
		.time = START,
		.uid = uid,
		.port = port,
		.proto = BC_TCP,
		.family = strchr(addr, ':') ? 6 : 4,
		.kind = BC_EVENT_BIND,
		.verdict = BC_NONE,
		.flags = BC_EVENT_HOST | (port && port < 1024 ? 0 : BC_EVENT_PRIVILEGED),
		.rule = BC_RULE_NONE,
		.comm = "server",
	};

	random_addr(addr, event.addr);
	return event;
}

static void add(struct bc_learn *learn, const struct bc_event *event)
{
	assert_int_equal(bc_learn_add(learn, event, "web.conf:7"), 0);
}

static void add_plain(struct bc_learn *learn, uint32_t uid, const char *addr, uint16_t port)
{
	const struct bc_event event = event_of(uid, addr, port);

	add(learn, &event);
}

/* All of it as text. */
static void format_all(struct bc_text *text, const struct bc_learn *learn, const struct bc_learned_form *form)
{
	struct bc_learned learned = {};
	struct bc_error error = {};

	if (bc_learned_make(learn, form, &learned, &error))
		fail_msg("%s", error.text);
	for (size_t i = 0; i < learned.policy.n; i++)
		bc_lesson_format(text, &learned.policy, &learned.policy.rules[i], &learned.lessons[i]);
	assert_false(text->failed);
	bc_learned_done(&learned);
}

/* Its rules without their comments, each ended by a newline. */
static void assert_rules(struct bc_learn *learn, const struct bc_learned_form *form, const char *expected)
{
	struct bc_text text = {}, rules = {};

	format_all(&text, learn, form);
	for (const char *line = text.data ?: ""; *line; line += strcspn(line, "\n") + 1)
		if (*line != '#')
			bc_text_add(&rules, line, strcspn(line, "\n") + 1);
	assert_string_equal(rules.data ?: "", expected);
	bc_text_done(&text);
	bc_text_done(&rules);
	bc_learn_done(learn);
}

static void ports_are_merged_only_when_contiguous(void **state)
{
	struct bc_learn learn = {};

	(void)state;
	for (uint16_t port = 8003; port >= 8000; port--)
		add_plain(&learn, 1000, "0.0.0.0", port);
	add_plain(&learn, 1000, "0.0.0.0", 8005);
	add_plain(&learn, 1000, "0.0.0.0", 65535);
	add_plain(&learn, 1000, "0.0.0.0", 65534);
	add_plain(&learn, 1000, "0.0.0.0", 8005);
	assert_rules(&learn, &plain, "allow user alice port 8000-8003,8005,65534-65535 proto tcp addr 0.0.0.0\n");
}

static void what_a_rule_cannot_cover_exactly_is_kept_apart(void **state)
{
	struct bc_learn learn = {};
	struct bc_event event;

	(void)state;
	add_plain(&learn, 1000, "127.0.0.1", 8000);
	add_plain(&learn, 1001, "127.0.0.1", 8000);
	add_plain(&learn, 4321, "127.0.0.1", 8000);
	add_plain(&learn, 1000, "127.0.0.2", 8000);
	add_plain(&learn, 1000, "127.0.0.1", 443);
	event = event_of(1000, "127.0.0.1", 8001);
	event.flags = BC_EVENT_PRIVILEGED;
	add(&learn, &event);
	event = event_of(1000, "127.0.0.1", 8002);
	event.proto = BC_UDP;
	add(&learn, &event);
	assert_rules(&learn, &plain,
		     "grant user alice port 443 proto tcp addr 127.0.0.1\n"
		     "allow user alice port 8000 proto tcp addr 127.0.0.1\n"
		     "allow user alice port 8002 proto udp addr 127.0.0.1\n"
		     "allow user alice port 8001 proto tcp addr 127.0.0.1 netns any\n"
		     "allow user alice port 8000 proto tcp addr 127.0.0.2\n"
		     "allow user bob port 8000 proto tcp addr 127.0.0.1\n"
		     "allow user 4321 port 8000 proto tcp addr 127.0.0.1\n");
}

static void protocol_is_left_out_where_both_were_seen(void **state)
{
	struct bc_learn learn = {};

	(void)state;
	for (uint16_t port = 50; port < 60; port++) {
		struct bc_event event = event_of(1000, "::1", port);

		if (port != 55)
			add(&learn, &event);
		event.proto = BC_UDP;
		if (port < 58)
			add(&learn, &event);
	}
	assert_rules(&learn, &plain,
		     "grant user alice port 58-59 proto tcp addr ::1\n"
		     "grant user alice port 55 proto udp addr ::1\n"
		     "grant user alice port 50-54,56-57 addr ::1\n");
}

static void dual_stack_needs_both_families(void **state)
{
	struct bc_learn learn = {};
	struct bc_event event = event_of(1000, "::", 8000);

	(void)state;
	add(&learn, &event);
	event.port = 8001;
	event.flags |= BC_EVENT_V6ONLY;
	add(&learn, &event);
	add_plain(&learn, 1000, "0.0.0.0", 8002);
	/* Of an IPv6 socket, but an IPv4 address. */
	event = event_of(1000, "::ffff:127.0.0.1", 8003);
	event.family = 6;
	add(&learn, &event);
	assert_rules(&learn, &plain,
		     "allow user alice port 8000-8001 proto tcp addr ::\n"
		     "allow user alice port 8000,8002 proto tcp addr 0.0.0.0\n"
		     "allow user alice port 8003 proto tcp addr 127.0.0.1\n");
}

/* One that was seen with and without the capability, in this namespace and in another, on [::] and on 0.0.0.0. */
static void rules_of_one_bind_do_not_contradict_each_other(void **state)
{
	struct bc_learn learn = {};
	struct bc_event event;

	(void)state;
	for (uint32_t uid = 1000; uid < 1002; uid++) {
		const char *privileged = uid == 1000 ? "::" : "0.0.0.0", *other = uid == 1000 ? "0.0.0.0" : "::";

		event = event_of(uid, privileged, 443);
		event.flags |= BC_EVENT_PRIVILEGED;
		add(&learn, &event);
		event = event_of(uid, other, 443);
		add(&learn, &event);
		event.flags = BC_EVENT_PRIVILEGED;
		add(&learn, &event);
	}
	assert_rules(&learn, &plain,
		     "allow user alice port 443 proto tcp addr ::\n"
		     "grant user alice port 443 proto tcp addr 0.0.0.0 netns any\n"
		     "grant user bob port 443 proto tcp addr :: netns any\n"
		     "grant user bob port 443 proto tcp addr 0.0.0.0 netns any\n");
}

static void choice_of_the_kernel_is_the_whole_range(void **state)
{
	struct bc_learn learn = {};
	struct bc_event event = event_of(1000, "0.0.0.0", 0);

	(void)state;
	add(&learn, &event);
	/* What it chose is told besides where rules deny; it is not news. */
	event.port = 40003;
	event.flags |= BC_EVENT_CHOSEN;
	event.kind = BC_EVENT_LOG;
	add(&learn, &event);
	assert_int_equal(learn.binds, 1);
	assert_rules(&learn, &plain, "allow user alice port 40000-40009 proto tcp addr 0.0.0.0\n");
}

static void refusals_are_told_and_not_permitted(void **state)
{
	struct bc_learn learn = {};
	struct bc_text text = {};
	struct bc_event event = event_of(1000, "0.0.0.0", 8080);

	(void)state;
	event.kind = BC_EVENT_AUDIT;
	add(&learn, &event);
	event.kind = BC_EVENT_DENY;
	event.id = 1;
	add(&learn, &event);
	event.port = 0;
	add(&learn, &event);
	/* Let through, and then refused the port that the kernel chose. */
	event = event_of(1001, "0.0.0.0", 0);
	add(&learn, &event);
	event.kind = BC_EVENT_DENY;
	event.port = 40001;
	event.flags |= BC_EVENT_CHOSEN;
	add(&learn, &event);
	event = event_of(1002, "0.0.0.0", 8080);
	event.verdict = BC_REWRITE;
	add(&learn, &event);
	event = event_of(1002, "0.0.0.0", 443);
	event.kind = BC_EVENT_KERNEL;
	add(&learn, &event);
	assert_int_equal(learn.binds, 5);
	format_all(&text, &learn, &plain);
	assert_string_equal(text.data, "# 1 bind by server, 2026-11-24T10:00:00Z\n"
				       "# 1 refused by the kernel: nothing granted the port\n"
				       "grant user carol port 443 proto tcp addr 0.0.0.0\n"
				       "# 1 bind by server, 2026-11-24T10:00:00Z\n"
				       "# led elsewhere, which must stay, by: web.conf:7\n"
				       "# allow user carol port 8080 proto tcp addr 0.0.0.0\n"
				       "# 1 bind by server, 2026-11-24T10:00:00Z\n"
				       "# left the choice to the kernel: these are all the ports that it chooses "
				       "from, more than was seen\n"
				       "# refused by: web.conf:7\n"
				       "# allow user bob port 40000-40009 proto tcp addr 0.0.0.0\n"
				       "# 1 bind by server, 2026-11-24T10:00:00Z\n"
				       "# refused by: web.conf:7\n"
				       "# allow user alice port 8080 proto tcp addr 0.0.0.0\n"
				       "# 1 bind by server, 2026-11-24T10:00:00Z\n"
				       "# left the choice to the kernel, which only a rule on any port is about: "
				       "more than was seen\n"
				       "# refused by: web.conf:7\n"
				       "# allow user alice port any proto tcp addr 0.0.0.0\n");
	bc_text_done(&text);
	bc_learn_done(&learn);
}

/* A chosen port that nobody asked the kernel for is one decided twice: nothing happened but what was told before. */
static void second_look_is_no_bind(void **state)
{
	struct bc_learn learn = {};
	struct bc_event event = event_of(1000, "0.0.0.0", 8080);

	(void)state;
	add(&learn, &event);
	event.flags |= BC_EVENT_CHOSEN;
	event.kind = BC_EVENT_DENY;
	add(&learn, &event);
	assert_int_equal(learn.binds, 1);
	assert_rules(&learn, &plain, "allow user alice port 8080 proto tcp addr 0.0.0.0\n");
}

/* What programs call themselves is anything; it must stay a comment. */
static void names_of_programs_stay_in_the_comment(void **state)
{
	static const char *const names[] = { "a\ngrant port 1", "b\r\x1b[2J", "sixteen_bytes_lo",
					     "\xff\xfe and d",	"e",	      "f" };
	struct bc_learn learn = {};
	struct bc_text text = {};
	struct bc_policy policy = {};
	struct bc_event event = event_of(1000, "0.0.0.0", 8080);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		strncpy(event.comm, names[i], sizeof(event.comm));
		event.time += BC_SECOND / 2;
		add(&learn, &event);
	}
	format_all(&text, &learn, &plain);
	assert_string_equal(
		text.data,
		"# 6 binds by \"a\\x0agrant port 1\", b\\x0d\\x1b[2J, sixteen_bytes_lo, \"\\xff\\xfe and d\" "
		"and others, 2026-11-24T10:00:00Z to 2026-11-24T10:00:03Z\n"
		"allow user alice port 8080 proto tcp addr 0.0.0.0\n");
	policy_from_text(&policy, text.data);
	assert_int_equal(policy.n, 1);
	bc_policy_done(&policy);
	bc_text_done(&text);
	bc_learn_done(&learn);
}

/* 65,535 ports that have no neighbours take several lines, and a file with a long name is cut to fit into one. */
static void lines_are_as_long_as_lines_may_be(void **state)
{
	char path[4000] = "/a", by[9000];
	struct bc_learned_form form = plain;
	struct bc_learned learned = {};
	struct bc_error error = {};
	struct bc_policy policy = {};
	struct bc_learn learn = {};
	struct bc_text text = {};
	struct bc_event event;

	(void)state;
	for (uint32_t port = 1025; port < 65536; port += 2)
		add_plain(&learn, 1000, "2001:db8:1111:2222:3333:4444:5555:6666", port);
	memset(by, '\n', sizeof(by) - 1);
	by[sizeof(by) - 1] = '\0';
	event = event_of(1000, "0.0.0.0", 80);
	event.kind = BC_EVENT_DENY;
	assert_int_equal(bc_learn_add(&learn, &event, by), 0);
	for (size_t i = 2; i < 3800; i++)
		path[i] = i % 100 ? 'a' : '/';
	form.cgroup = path;
	format_all(&text, &learn, &form);
	for (const char *line = text.data; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= BC_LINE_MAX);
	policy_from_text(&policy, text.data);
	assert_true(policy.n > 1);
	assert_int_equal(policy.nranges, 32256);
	for (size_t i = 3800; i < sizeof(path) - 1; i++)
		path[i] = i % 100 ? 'a' : '/';
	assert_int_equal(bc_learned_make(&learn, &form, &learned, &error), -E2BIG);
	assert_contains(error.text, "does not fit into a line of 4096 bytes");
	bc_policy_done(&policy);
	bc_text_done(&text);
	bc_learn_done(&learn);
}

static void memory_has_a_bound(void **state)
{
	struct bc_learn learn = {};
	struct bc_event event = event_of(1000, "127.0.0.1", 8080);

	(void)state;
	for (uint32_t i = 0; i < BC_LEARN_MAX + 10; i++) {
		event.addr[3] = i;
		add(&learn, &event);
	}
	event.addr[3] = 0;
	add(&learn, &event);
	assert_int_equal(learn.n, BC_LEARN_MAX);
	assert_int_equal(learn.unkept, 10);
	assert_int_equal(learn.binds, BC_LEARN_MAX + 11);
	assert_int_equal(learn.seen[0]->sightings.binds, 2);
	bc_learn_done(&learn);
}

static enum bc_verdict answer_to(const struct bc_cells *image, const struct bc_question *question)
{
	struct bc_answer answer = {};
	enum bc_verdict verdict;

	assert_int_equal(bc_decide_image(image, question, &answer), 0);
	verdict = answer.verdict;
	bc_answer_done(&answer);
	return verdict;
}

static struct bc_question question_of(const struct bc_event *event)
{
	struct bc_question question = {
		.uid = event->uid,
		.port = event->port,
		.proto = event->proto,
		.v4 = !event->addr[0] && !event->addr[1] && event->addr[2] == 0xffff,
		.v6only = event->flags & BC_EVENT_V6ONLY,
		.host_netns = event->flags & BC_EVENT_HOST,
		.cgroup = "/web/a",
	};

	memcpy(question.addr, event->addr, sizeof(question.addr));
	return question;
}

/* Everything that is possible, as numbers below these. */
static const uint32_t some_users[] = { 0, 1000, 1001, 4321 };
static const char *const some_addrs[] = { "0.0.0.0", "127.0.0.1", "::", "::1" };
static const uint16_t some_ports[] = { 79, 80, 81, 82, 8079, 8080, 8081, 65535 };

static struct bc_event pick(unsigned number)
{
	struct bc_event event =
		event_of(some_users[number & 3], some_addrs[number >> 2 & 3], some_ports[number >> 4 & 7]);

	event.proto = number >> 7 & 1 ? BC_UDP : BC_TCP;
	if (number >> 8 & 1 && event.family == 6)
		event.flags |= BC_EVENT_V6ONLY;
	return event;
}

#define ALL (1u << 9)

/*
 * Of all these binds a random few are seen. Beside a deny of every port the rules give those the verdict that they need,
 * and what was not seen is refused, unless the rules for others cover it: those of a dual-stack [::] the binds of either side
 * alone, and those of both sides the dual-stack one.
 */
static void what_was_seen_passes_and_nothing_else(void **state)
{
	uint64_t random = random_state(1, 0);

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct bc_learned_form form = { .chosen = plain.chosen, .user = name_of, .cgroup = "/web" };
		struct bc_text text = {};
		struct bc_cells image = {};
		struct bc_learn learn = {};
		bool seen[ALL] = {};

		for (int i = 0; i < 1 + round / 4; i++) {
			unsigned number = random_below(&random, ALL);
			struct bc_event event = pick(number);

			seen[number] = true;
			add(&learn, &event);
		}
		bc_text_addf(&text, "deny port 1-65535\n");
		format_all(&text, &learn, &form);
		image_from_text(&image, text.data);
		for (unsigned number = 0; number < ALL; number++) {
			struct bc_event event = pick(number);
			struct bc_question question = question_of(&event);
			bool v6only = number >> 8 & 1, wildcard6 = (number >> 2 & 3) == 2;
			bool side6 = seen[number & 255] || seen[number | 256];
			bool side4 = seen[(number & 243) | 0] || seen[(number & 243) | 256] || seen[(number & 243) | 8];
			bool expected = !wildcard6 ? side6 : v6only ? side6 : side6 && side4;
			enum bc_verdict verdict = answer_to(&image, &question);

			if ((number >> 2 & 3) == 0)
				expected = side4;
			if (verdict != (!expected ? BC_DENY : event.port < 1024 ? BC_GRANT : BC_ALLOW))
				fail_msg("bind %u: %d under:\n%s", number, verdict, text.data);
			question.cgroup = "/webb";
			assert_int_equal(answer_to(&image, &question), BC_DENY);
			question.cgroup = "/web";
			question.host_netns = false;
			assert_int_equal(answer_to(&image, &question), BC_NONE);
		}
		bc_cells_done(&image);
		bc_text_done(&text);
		bc_learn_done(&learn);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_merged_only_when_contiguous),
		cmocka_unit_test(what_a_rule_cannot_cover_exactly_is_kept_apart),
		cmocka_unit_test(protocol_is_left_out_where_both_were_seen),
		cmocka_unit_test(dual_stack_needs_both_families),
		cmocka_unit_test(rules_of_one_bind_do_not_contradict_each_other),
		cmocka_unit_test(choice_of_the_kernel_is_the_whole_range),
		cmocka_unit_test(refusals_are_told_and_not_permitted),
		cmocka_unit_test(second_look_is_no_bind),
		cmocka_unit_test(names_of_programs_stay_in_the_comment),
		cmocka_unit_test(lines_are_as_long_as_lines_may_be),
		cmocka_unit_test(memory_has_a_bound),
		cmocka_unit_test(what_was_seen_passes_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
