// SPDX-License-Identifier: GPL-2.0-or-later
/* compile.c and segment.c: the image, section by section. */
#include "pure/segment.h"
#include "pure/gate.h"
#include "unit.h"
#include "cells.h"

static bool port_named(const struct bc_cells *image, unsigned port)
{
	struct bc_gate gate;

	bc_gate_needs(image, &gate);
	return gate.ports[port / 64] >> port % 64 & 1;
}

static const struct bc_segment *segment(const struct bc_cells *image, uint32_t number)
{
	return &image->cells[header_of(image)->segments + number / BC_SEGMENTS].segments[number % BC_SEGMENTS];
}

static void empty_policy_is_an_image_without_rules(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_header *h;

	(void)state;
	image_from_policy(&image, &policy);
	h = header_of(&image);
	assert_int_equal(h->magic, BC_MAGIC);
	assert_int_equal(h->schema, BC_SCHEMA);
	assert_int_equal(h->features, 0);
	assert_true(h->buckets > 0);
	assert_int_equal(about_of(&image)->cells, image.n);
	assert_int_equal(about_of(&image)->nrules, 0);
	assert_int_equal(about_of(&image)->nscopes, 1);
	assert_true(about_of(&image)->digest == 0);
	for (unsigned port = 0; port < 65536; port++)
		assert_false(port_named(&image, port));
}

static void sections_lie_one_behind_the_other(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_header *h;
	const struct bc_about *about;

	(void)state;
	image_from_text(&image, "grant user alice port 80\ndeny port 80-90\nallow port 85\ndeny port any\n");
	h = header_of(&image);
	about = about_of(&image);
	assert_int_equal(h->segments, BC_INDEX + h->buckets);
	assert_int_equal(h->lists, h->segments + 1);
	assert_int_equal(h->rules, h->lists + 1);
	assert_int_equal(h->scopes, h->rules + 2);
	assert_int_equal(h->labels, h->scopes + 1);
	assert_int_equal(about->names, h->labels);
	assert_int_equal(about->cells, about->names + 1);
	assert_int_equal(about->cells, image.n);
	assert_int_equal(about->nsources, 1);
	assert_string_equal(image.cells[about->names].names, SOURCE);
	assert_true(h->generation == 0);
}

static void features_name_what_the_rules_ask_for(void **state)
{
	static const struct {
		const char *text;
		unsigned features;
	} cases[] = {
		{ "", 0 },
		{ "grant port 80\n", BC_F_ANYONE },
		{ "grant user 0 port 80\n", BC_F_USER },
		{ "grant user 0 port 80 addr ::\ngrant port 1 proto udp\n", BC_F_USER | BC_F_ANYONE | BC_F_ADDR },
		{ "grant group 0 port 80\n", BC_F_GROUP },
		{ "grant cgroup /a user 0 port 80\n", BC_F_USER | BC_F_SCOPE },
		{ "grant unit a.service group 0 port 80\n", BC_F_GROUP | BC_F_SCOPE },
		{ "grant cgroup / port 80\n", BC_F_ANYONE },
		{ "deny port 80\n", BC_F_ANYONE | BC_F_DENY },
		{ "deny port 80 audit\n", BC_F_ANYONE | BC_F_DENY },
		{ "rewrite port 80 to :81\n", BC_F_ANYONE | BC_F_REWRITE },
		{ "reserve user 0 port 80\n", BC_F_USER | BC_F_ANYONE | BC_F_DENY },
		{ "reserve cgroup /a group 0 port 80\n", BC_F_GROUP | BC_F_ANYONE | BC_F_DENY | BC_F_SCOPE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_cells_done) struct bc_cells image = {};

		image_from_text(&image, cases[i].text);
		assert_int_equal(header_of(&image)->features, cases[i].features);
	}
}

static void port_map_names_just_the_ports_of_the_rules(void **state)
{
	static const unsigned ranges[][2] = { { 1, 1 },	    { 63, 64 },	    { 128, 191 },    { 193, 321 },
					      { 511, 512 }, { 1000, 5000 }, { 65535, 65535 } };
	_cleanup_(bc_cells_done) struct bc_cells image = {}, any = {};

	(void)state;
	image_from_text(&image, "grant port 1,63-64,65535\ndeny port 128-191,193-321\nallow user bob port 511-512\n"
				"grant user 5 port 1000-5000 proto udp\n");
	image_from_text(&any, "grant port any\n");
	for (unsigned port = 0; port < 65536; port++) {
		bool named = false;

		for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
			named |= ranges[i][0] <= port && port <= ranges[i][1];
		assert_int_equal(port_named(&image, port), named);
		assert_true(port_named(&any, port));
	}
}

static void rule_cell_holds_its_conditions(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_rule_cell *rule;

	(void)state;
	image_from_text(&image, "grant port 80\n\ndeny port 80 proto udp addr 10.0.0.0/8 netns any errno EPERM\n"
				"allow port 80 addr 2001:db8::/32\n");
	rule = bc_rule_at(&image, 0);
	assert_int_equal(rule->verdict, BC_GRANT);
	assert_int_equal(rule->conditions, BC_IF_HOST);
	assert_int_equal(rule->err, 0);
	assert_int_equal(rule->line, 1);
	rule = bc_rule_at(&image, 1);
	assert_int_equal(rule->verdict, BC_DENY);
	assert_int_equal(rule->conditions, BC_IF_PROTO | BC_IF_V4);
	assert_int_equal(rule->proto, BC_UDP);
	assert_int_equal(rule->more, 3);
	assert_int_equal(bc_detail_at(&image, 3)->prefix, 104);
	assert_int_equal(bc_detail_at(&image, 3)->addr[3], 0x0a000000);
	assert_int_equal(rule->err, EPERM);
	assert_int_equal(rule->line, 3);
	rule = bc_rule_at(&image, 2);
	assert_int_equal(rule->verdict, BC_ALLOW);
	assert_int_equal(rule->conditions, BC_IF_V6 | BC_IF_HOST);
	assert_int_equal(rule->more, 4);
	assert_int_equal(bc_detail_at(&image, 4)->addr[0], 0x20010db8);
	assert_int_equal(header_of(&image)->scopes, header_of(&image)->rules + 3);
}

/* What no rule's cell has room for costs those rules alone that say it. */
static void rules_have_details_only_where_they_say_more(void **state)
{
	static const struct {
		const char *rule;
		uint32_t details, more;
	} rules[] = {
		{ "grant user 5 port 80 proto tcp log\n", 0, 0 },
		{ "reserve cgroup /a port 80 netns any errno EPERM\n", 0, 0 },
		{ "deny group 5 port 80 audit\n", 0, 5 },
		{ "deny group 5 port 80 addr ::/0\n", 1, 1 },
		{ "grant user 5 port 80 until 2199-12-31T00:00:00Z\n", 1, 1 },
		{ "rewrite user 5 port 80 to :81 hidden\n", 1, 1 },
		{ "rewrite group 5 port 80 to 127.0.0.1\n", 2, 1 },
		{ "rewrite port 80 addr ::1 until 2199-12-31T00:00:00Z to [::1]:81\n", 2, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_(bc_cells_done) struct bc_cells image = {};

		image_from_text(&image, rules[i].rule);
		assert_int_equal(!!bc_has_details(bc_rule_at(&image, 0)), rules[i].details > 0);
		assert_int_equal(bc_rule_at(&image, 0)->more, rules[i].more);
		assert_int_equal(header_of(&image)->scopes - header_of(&image)->rules, rules[i].details / 2 + 1);
	}
}

static void overlaps_become_disjoint_segments(void **state)
{
	static const struct {
		unsigned first, last;
		bool list, start;
	} expected[] = { { 10, 14, false, true },
			 { 15, 15, true, false },
			 { 16, 20, true, false },
			 { 21, 30, false, false },
			 { 40, 40, false, true } };
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_slot *slot;

	(void)state;
	image_from_text(&image, "grant port 10-20\ndeny port 15,40\nallow port 16-30\n");
	slot = slot_of(&image, BC_ANYONE, 0);
	assert_true(slot->ref & BC_REF_RUN);
	assert_int_equal(slot->ports, ARRAY_SIZE(expected));
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct bc_segment *s = segment(&image, (slot->ref & BC_REF_NUMBER) + i);

		assert_int_equal(s->first, expected[i].first);
		assert_int_equal(s->last, expected[i].last);
		assert_int_equal(!!(s->ref & BC_REF_LIST), expected[i].list);
		if (!expected[i].list)
			assert_int_equal(!!(s->ref & BC_REF_START), expected[i].start);
	}
}

static void list_is_in_order_of_rank(void **state)
{
	static const unsigned lines[] = { 7, 6, 5, 4, 3, 2, 8, 1 };
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_slot *slot;
	const uint32_t *refs;

	(void)state;
	image_from_text(&image, "grant port 80-81\ngrant port 80\nallow port 80\ndeny port 80\n"
				"grant port 80 proto udp\ngrant port 80 addr 10.0.0.0/8\n"
				"grant port 80 addr 10.0.0.0/8 proto tcp\ngrant port 80\n");
	slot = slot_of(&image, BC_ANYONE, 0);
	refs = image.cells[header_of(&image)->lists].refs;
	assert_int_equal(segment(&image, slot->ref & BC_REF_NUMBER)->ref & BC_REF_NUMBER, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(bc_rule_at(&image, refs[i] & BC_REF_RULE)->line, lines[i]);
		assert_int_equal(!!(refs[i] & BC_REF_LAST), i + 1 == ARRAY_SIZE(lines));
		assert_true(refs[i] & BC_REF_START);
	}
}

static void every_one_of_many_subjects_is_found(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	for (uint32_t i = 0; i < 20000; i++)
		bc_text_addf(&text, "%s user %u port %u\n", i % 2 ? "grant" : "deny", i * 7, 1 + i % 65535);
	image_from_text(&image, text.data);
	for (uint32_t i = 0; i < 20000; i++) {
		struct bc_question question = ask(i * 7, 1 + i % 65535, "::1");
		_cleanup_(bc_answer_done) struct bc_answer answer = {};

		assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
		assert_int_equal(answer.rule, i);
		assert_int_equal(answer.verdict, i % 2 ? BC_GRANT : BC_DENY);
		question.uid++;
		bc_answer_done(&answer);
		assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
		assert_int_equal(answer.verdict, BC_NONE);
	}
}

static void every_one_of_many_segments_is_found(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	/* One segment before, so that the run does not begin with a cell. */
	bc_text_addf(&text, "grant user 1 port 7\ndeny user 1 port 9\n");
	for (unsigned port = 1; port < 65536; port += 2)
		bc_text_addf(&text, port % 512 == 1 ? "\ngrant user 5 port %u" : ",%u", port);
	bc_text_addf(&text, "\n");
	image_from_text(&image, text.data);
	assert_int_equal(slot_of(&image, BC_USER, 5)->ports, 32768);
	for (unsigned port = 0; port < 65536; port++) {
		struct bc_question question = ask(5, port, "127.0.0.1");
		struct bc_answer answer = {};

		assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
		assert_int_equal(answer.verdict, port % 2 ? BC_GRANT : BC_NONE);
		if (port % 2)
			assert_int_equal(bc_rule_at(&image, answer.rule)->line, 4 + port / 512);
		bc_answer_done(&answer);
	}
}

static void same_policy_makes_the_same_image(void **state)
{
	static const char text[] = "grant user alice port 80,443\ndeny port any addr ::/0\nallow port 80 proto udp\n";
	_cleanup_(bc_cells_done) struct bc_cells a = {}, b = {}, other = {};

	(void)state;
	image_from_text(&a, text);
	image_from_text(&b, text);
	image_from_text(&other, "allow port 80 proto udp\ngrant user alice port 80,443\ndeny port any addr ::/0\n");
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.cells, b.cells, a.n * sizeof(*a.cells));
	assert_true(about_of(&a)->digest == about_of(&other)->digest);
}

static void groups_rules_share_one_list_by_rank(void **state)
{
	static const int narrow[] = { 4, 2, 3, 1 }, wide[] = { 1 };
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_slot *slot;

	(void)state;
	/* Whichever group's they are: the longest prefix, then the least privilege, then the wider range. */
	image_from_text(&image, "deny group 5 port 80-81\ndeny group 9 port 80\ngrant group 5 port 80\n"
				"grant group 7 port 80 addr 10.0.0.0/8\n");
	slot = slot_of(&image, BC_GROUP, 0);
	assert_int_equal(slot->ports, 2);
	assert_lines(&image, segment(&image, slot->ref & BC_REF_NUMBER)->ref, narrow, ARRAY_SIZE(narrow));
	assert_lines(&image, segment(&image, (slot->ref & BC_REF_NUMBER) + 1)->ref, wide, ARRAY_SIZE(wide));
}

static void reserve_has_two_sides(void **state)
{
	static const int mine[] = { 2 }, others[] = { 1, -2 };
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, "deny port 80 addr 10.0.0.0/8\nreserve user 5 port 80\n");
	assert_int_equal(bc_rule_at(&image, 1)->verdict, BC_GRANT);
	assert_int_equal(bc_rule_at(&image, 1)->flags, BC_RULE_RESERVE);
	assert_int_equal(bc_rule_at(&image, 1)->err, EACCES);
	assert_lines(&image, slot_of(&image, BC_USER, 5)->ref, mine, 1);
	assert_lines(&image, slot_of(&image, BC_ANYONE, 0)->ref, others, 2);
}

static void rule_cell_holds_what_the_other_clauses_say(void **state)
{
	static const uint32_t v4[] = { 0, 0, 0xffff, 0x0a000001 }, v6[] = { 0, 0, 0, 1 };
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_rule_cell *rule;

	(void)state;
	image_from_text(&image, "rewrite group 7 port 80 to 10.0.0.1:81 log\nrewrite port 1 to ::1 hidden\n"
				"rewrite port 2 to :82\ndeny port 80 until 1970-01-01T00:00:01.5Z audit\n"
				"grant unit a.service port 3\ngrant cgroup /a port 3\n");
	rule = bc_rule_at(&image, 0);
	assert_int_equal(rule->verdict, BC_REWRITE);
	assert_int_equal(rule->conditions, BC_IF_HOST | BC_IF_GROUP);
	assert_int_equal(rule->more, 6);
	assert_int_equal(bc_detail_at(&image, 6)->gid, 7);
	assert_int_equal(rule->flags, BC_RULE_TO_V4 | BC_RULE_TO_PORT | BC_RULE_LOG);
	assert_int_equal(bc_detail_at(&image, 6)->to_port, 81);
	assert_memory_equal(bc_detail_at(&image, 7)->addr, v4, sizeof(v4));
	rule = bc_rule_at(&image, 1);
	assert_int_equal(rule->flags, BC_RULE_TO_V6 | BC_RULE_HIDDEN);
	assert_int_equal(rule->more, 8);
	assert_int_equal(bc_detail_at(&image, 8)->to_port, 0);
	assert_memory_equal(bc_detail_at(&image, 9)->addr, v6, sizeof(v6));
	rule = bc_rule_at(&image, 2);
	assert_int_equal(rule->flags, BC_RULE_TO_PORT);
	assert_int_equal(rule->more, 10);
	assert_int_equal(bc_detail_at(&image, 10)->to_port, 82);
	rule = bc_rule_at(&image, 3);
	assert_int_equal(rule->verdict, BC_DENY);
	assert_int_equal(rule->conditions, BC_IF_HOST | BC_IF_UNTIL);
	assert_int_equal(rule->more, 11);
	assert_true(bc_detail_at(&image, 11)->until == 3 * BC_SECOND / 2);
	assert_int_equal(rule->flags, BC_RULE_AUDIT);
	assert_int_equal(bc_rule_at(&image, 4)->flags, BC_RULE_UNIT);
	assert_int_equal(bc_rule_at(&image, 5)->flags, 0);
}

/* References that say it all are made for grants that ask for nothing else, and for no other rule. */
static void plain_references_are_of_plain_grants(void **state)
{
	static const struct {
		const char *rule;
		uint32_t plain;
	} rules[] = {
		{ "grant user 1000 port 80\n", BC_REF_PLAIN | BC_REF_HOST },
		{ "grant port 80 netns any\n", BC_REF_PLAIN },
		{ "grant cgroup /a port 80\n", BC_REF_PLAIN | BC_REF_HOST },
		{ "reserve user 1000 port 80\n", BC_REF_PLAIN | BC_REF_HOST },
		{ "grant group 1000 port 80\n", 0 },
		{ "grant user 1000 port 80 proto tcp\n", 0 },
		{ "grant user 1000 port 80 addr 127.0.0.1\n", 0 },
		{ "grant user 1000 port 80 until 2199-12-31T00:00:00Z\n", 0 },
		{ "grant user 1000 port 80 log\n", 0 },
		{ "allow user 1000 port 80\n", 0 },
		{ "deny user 1000 port 80\n", 0 },
		{ "rewrite user 1000 port 80 to :8080\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_(bc_cells_done) struct bc_cells image = {};
		const struct bc_header *h;
		uint32_t seen = 0;

		image_from_text(&image, rules[i].rule);
		h = header_of(&image);
		for (uint32_t k = 0; k < h->buckets * BC_SLOTS; k++) {
			const struct bc_slot *slot = &image.cells[BC_INDEX + k / BC_SLOTS].slots[k % BC_SLOTS];

			/* The other side of the reserve is a deny, and never plain. */
			if (slot->key && slot->key % 4 != BC_CHILD && !(slot->ref & BC_REF_OTHERS))
				assert_int_equal(slot->ref & (BC_REF_PLAIN | BC_REF_HOST), rules[i].plain);
			else if (slot->key && slot->key % 4 != BC_CHILD)
				assert_int_equal(slot->ref & (BC_REF_PLAIN | BC_REF_HOST), 0);
			seen += slot->key && slot->key % 4 != BC_CHILD;
		}
		assert_int_equal(seen, strncmp(rules[i].rule, "reserve", 7) ? 1 : 2);
	}
}

/* Subjects fill the index as densely as it is meant to be, with the first seed or one of the next. */
static void index_is_dense(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		bc_text_addf(&text, "grant user %u port 80\n", i);
	image_from_text(&image, text.data);
	assert_int_equal(header_of(&image)->buckets, 20000 * 5 / 4 / BC_SLOTS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_policy_is_an_image_without_rules),
		cmocka_unit_test(sections_lie_one_behind_the_other),
		cmocka_unit_test(features_name_what_the_rules_ask_for),
		cmocka_unit_test(port_map_names_just_the_ports_of_the_rules),
		cmocka_unit_test(rule_cell_holds_its_conditions),
		cmocka_unit_test(rules_have_details_only_where_they_say_more),
		cmocka_unit_test(overlaps_become_disjoint_segments),
		cmocka_unit_test(list_is_in_order_of_rank),
		cmocka_unit_test(every_one_of_many_subjects_is_found),
		cmocka_unit_test(every_one_of_many_segments_is_found),
		cmocka_unit_test(same_policy_makes_the_same_image),
		cmocka_unit_test(groups_rules_share_one_list_by_rank),
		cmocka_unit_test(reserve_has_two_sides),
		cmocka_unit_test(rule_cell_holds_what_the_other_clauses_say),
		cmocka_unit_test(plain_references_are_of_plain_grants),
		cmocka_unit_test(index_is_dense),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
