// SPDX-License-Identifier: GPL-2.0-or-later
/* Images whose rules, or their details, are not what they were. */
#include "unit.h"
#include "images.h"

static void rule_out_of_bounds_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, mixed);
	for (int i = 0; i < 9; i++) {
		_cleanup_(bc_cells_done) struct bc_cells copy = copy_of(&image, image.n);
		struct bc_rule_cell *rule = bc_rule_at(&copy, 4);

		switch (i) {
		case 0:
		case 1:
		case 2:
			rule->verdict = i == 0 ? 0 : i == 1 ? BC_NONE : 6;
			break;
		case 3:
			rule->source = 1;
			break;
		case 4:
		case 5:
			bc_detail_at(&copy, rule->more)->prefix = i == 4 ? 129 : 95;
			break;
		case 6:
			rule->conditions |= BC_IF_V6;
			break;
		case 7:
		case 8:
			rule->conditions |= BC_IF_PROTO;
			rule->proto = i == 7 ? 0 : 4;
		}
		/* Not for its digest alone. */
		if (bc_image_check(&copy, NULL) != -EBADMSG || decompiled(&copy) != -EBADMSG)
			fail_msg("rule %d is taken", i);
	}
}

/* bc_format_rule() has no name for it, and the kernel's program gives EPERM instead. */
static void deny_of_an_unknown_errno_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, "deny port 80 errno EPERM\n");
	bc_rule_at(&image, 0)->err = 99 + 100;
	assert_int_equal(decompiled(&image), -EBADMSG);
}

static void others_of_what_is_no_reserve_are_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells grant = {}, user = {}, elsewhere = {};

	(void)state;
	image_from_text(&grant, "grant port 80\n");
	slot_in(&grant, BC_SCOPE_ROOT, BC_ANYONE)->ref |= BC_REF_OTHERS;
	assert_int_equal(decompiled(&grant), -EBADMSG);
	/* The subject of a reserve would be denied what it reserves. */
	image_from_text(&user, "reserve user 5 port 80\n");
	slot_in(&user, BC_SCOPE_ROOT, BC_USER)->ref |= BC_REF_OTHERS;
	assert_int_equal(decompiled(&user), -EBADMSG);
	image_from_text(&elsewhere, "reserve cgroup /a port 80\n");
	slot_in(&elsewhere, 2, BC_ANYONE)->ref |= BC_REF_OTHERS;
	assert_int_equal(decompiled(&elsewhere), -EBADMSG);
}

static void rule_of_a_group_outside_of_the_groups_slot_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells group = {}, anyone = {}, other = {};

	(void)state;
	image_from_text(&group, "grant group 5 port 80\n");
	bc_rule_at(&group, 0)->conditions &= ~BC_IF_GROUP;
	assert_int_equal(decompiled(&group), -EBADMSG);
	image_from_text(&anyone, "grant port 80\n");
	bc_rule_at(&anyone, 0)->conditions |= BC_IF_GROUP;
	assert_int_equal(decompiled(&anyone), -EBADMSG);
	image_from_text(&other, "grant group 5 port 80\n");
	bc_rule_at(&other, 0)->more = 6;
	assert_int_equal(decompiled(&other), -EBADMSG);
}

static void rule_that_contradicts_itself_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, "rewrite port 80 to 10.0.0.1:81\ngrant port 81\ndeny port 82 until +1h\n"
				"reserve user 5 port 83\n");
	for (int i = 0; i < 13; i++) {
		_cleanup_(bc_cells_done) struct bc_cells copy = copy_of(&image, image.n);
		struct bc_rule_cell *rules[4];

		for (int k = 0; k < 4; k++)
			rules[k] = bc_rule_at(&copy, k);
		switch (i) {
		case 0:
			rules[0]->flags = 0; /* leads nowhere */
			break;
		case 1:
			rules[0]->flags |= BC_RULE_TO_V6;
			break;
		case 2:
			bc_detail_at(&copy, rules[0]->more)->to_port = 0;
			break;
		case 3:
			rules[0]->flags |= BC_RULE_AUDIT;
			break;
		case 4:
			rules[0]->flags |= BC_RULE_RESERVE;
			break;
		case 5:
			rules[1]->flags |= BC_RULE_TO_PORT;
			break;
		case 6:
			rules[1]->flags |= BC_RULE_HIDDEN;
			break;
		case 7:
			rules[1]->flags |= BC_RULE_AUDIT;
			break;
		case 8:
			rules[2]->flags |= BC_RULE_RESERVE;
			break;
		case 9:
			bc_detail_at(&copy, rules[2]->more)->until = 1ull << 63;
			break;
		case 10:
			rules[3]->err = 0;
			break;
		case 11:
			rules[3]->verdict = BC_REWRITE;
			break;
		case 12:
			rules[3]->flags = 0; /* a grant, and so its other side is none */
		}
		if ((i < 12 && bc_image_check(&copy, NULL) != -EBADMSG) || decompiled(&copy) != -EBADMSG)
			fail_msg("rule %d is taken", i);
	}
}

/* Of two rules and a third that has none: details that are not theirs, not there, or nobody's. */
static void details_that_lead_astray_are_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, "grant port 80 addr 127.0.0.1\nrewrite port 81 to 10.0.0.1\ngrant port 82 log\n");
	assert_int_equal(decompiled(&image), 0);
	for (int i = 0; i < 12; i++) {
		_cleanup_(bc_cells_done) struct bc_cells copy = copy_of(&image, image.n);
		struct bc_rule_cell *rules[3];

		for (int k = 0; k < 3; k++)
			rules[k] = bc_rule_at(&copy, k);
		switch (i) {
		case 0:
			rules[0]->more = 0; /* a rule */
			break;
		case 1:
			rules[0]->more = 4; /* another's */
			break;
		case 2:
			rules[0]->more = 5; /* another's target */
			break;
		case 3:
		case 4:
		case 5:
		case 6:
			rules[1]->more = i == 3 ? 5 : i == 4 ? 6 : i == 5 ? 1u << 31 : ~0u; /* behind the end */
			break;
		case 7:
			rules[2]->conditions |= BC_IF_UNTIL;
			break;
		case 8:
			rules[0]->conditions &= ~BC_IF_V4; /* and its detail is nobody's */
			break;
		case 9:
			bc_detail_at(&copy, 5)->addr[2] = 0; /* no IPv4 address */
			break;
		case 10:
			rules[2]->conditions |= BC_IF_UNTIL; /* which would be the next, where the rules end */
			rules[2]->more = 6;
			break;
		case 11:
			rules[1]->verdict = BC_GRANT; /* and its details are nobody's */
			rules[1]->flags = 0;
		}
		if (bc_image_check(&copy, NULL) != -EBADMSG || decompiled(&copy) != -EBADMSG)
			fail_msg("details %d are taken", i);
		decide_some(&copy);
	}
}

/* Each the next one's neighbour, on and on behind the rules' end, and the image's. */
static void details_without_end_are_refused(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	enum {
		N = 1000
	};

	(void)state;
	for (unsigned i = 0; i < N; i++)
		bc_text_addf(&text, "grant port %u log\n", i + 1);
	image_from_text(&image, text.data);
	for (unsigned i = 0; i < N; i++) {
		bc_rule_at(&image, i)->conditions |= BC_IF_UNTIL;
		bc_rule_at(&image, i)->more = N + i;
	}
	assert_int_equal(bc_image_check(&image, NULL), -EBADMSG);
	decide_some(&image);
}

/* What a reference spares the kernel to look at must be what is there. */
static void plain_reference_to_another_rule_is_refused(void **state)
{
	static const char *const rules[] = {
		"grant user 1000 port 80 proto tcp\n", "grant user 1000 port 80 addr 127.0.0.1\n",
		"allow user 1000 port 80\n",	       "deny user 1000 port 80\n",
		"grant user 1000 port 80 log\n",       "rewrite user 1000 port 80 to :8080\n",
		"grant user 1000 port 80\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_(bc_cells_done) struct bc_cells image = {};
		struct bc_slot *slot;

		image_from_text(&image, rules[i]);
		assert_int_equal(decompiled(&image), 0);
		slot = slot_of(&image, BC_USER, 1000);
		/* Of the last one only the namespace is wrong. */
		slot->ref = (slot->ref & ~BC_REF_HOST) | BC_REF_PLAIN;
		assert_int_equal(decompiled(&image), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_out_of_bounds_is_refused),
		cmocka_unit_test(deny_of_an_unknown_errno_is_refused),
		cmocka_unit_test(others_of_what_is_no_reserve_are_refused),
		cmocka_unit_test(rule_of_a_group_outside_of_the_groups_slot_is_refused),
		cmocka_unit_test(rule_that_contradicts_itself_is_refused),
		cmocka_unit_test(details_that_lead_astray_are_refused),
		cmocka_unit_test(details_without_end_are_refused),
		cmocka_unit_test(plain_reference_to_another_rule_is_refused),
	};

	return cmocka_run_group_tests_name("inspect_rules", tests, NULL, NULL);
}
