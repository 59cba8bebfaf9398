// SPDX-License-Identifier: GPL-2.0-or-later
/* compile: the cgroups that rules name, as a tree in the image. */
/* compile.c and segment.c: the image, section by section. */
#include "pure/segment.h"
#include "pure/gate.h"
#include "unit.h"
#include "cells.h"

static void reserve_of_a_cgroup_is_everyone_elses_at_the_root(void **state)
{
	static const int mine[] = { 1 }, others[] = { -1 };
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, "reserve cgroup /a port 80\n");
	assert_lines(&image, slot_in(&image, 2, BC_ANYONE, 0)->ref, mine, 1);
	assert_lines(&image, slot_of(&image, BC_ANYONE, 0)->ref, others, 1);
	assert_int_equal(image.cells[header_of(&image)->scopes].scopes[0].first, BC_SCOPE_ROOT);
}

static void cgroup_is_found_from_its_parent_by_the_id_of_its_name(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_header *h;
	const union bc_cell *labels;
	union bc_part a = { .bytes = "a" }, b = { .bytes = "b" };

	(void)state;
	image_from_text(&image, "grant cgroup /a/b port 80\ngrant cgroup /a port 80\n");
	h = header_of(&image);
	labels = &image.cells[h->labels];
	assert_int_equal(about_of(&image)->nscopes, 3);
	assert_int_equal(slot_in(&image, 1, BC_CHILD, bc_name_id(bc_name_hash(h->seed, &a)))->ref, 2);
	assert_int_equal(slot_in(&image, 2, BC_CHILD, bc_name_id(bc_name_hash(h->seed, &b)))->ref, 3);
	assert_int_equal(image.cells[h->scopes].scopes[2].label >> 8, 1);
	assert_memory_equal(&labels->parts[0], &a, sizeof(a));
	assert_memory_equal(&labels->parts[1], &b, sizeof(b));
	assert_int_equal(image.cells[h->scopes].scopes[2].up, 2);
}

static void every_one_of_many_scopes_is_found(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	enum {
		N = 20000
	};

	(void)state;
	for (unsigned i = 0; i < N; i++)
		bc_text_addf(&text, "%s cgroup /s%u/u%u port 80\n", i % 2 ? "grant" : "deny", i % 70, i);
	image_from_text(&image, text.data);
	for (unsigned i = 0; i < N; i++) {
		struct bc_question question = ask(5, 80, "::1");
		struct bc_answer answer = {};
		char path[64];

		snprintf(path, sizeof(path), "/s%u/u%u", (i + (i % 10 == 9)) % 70, i);
		question.cgroup = path;
		assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
		/* Every tenth is looked for in the wrong slice. */
		assert_int_equal(answer.rule, i % 10 == 9 ? BC_RULE_NONE : i);
		bc_answer_done(&answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserve_of_a_cgroup_is_everyone_elses_at_the_root),
		cmocka_unit_test(cgroup_is_found_from_its_parent_by_the_id_of_its_name),
		cmocka_unit_test(every_one_of_many_scopes_is_found),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
