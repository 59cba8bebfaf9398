// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"
#include "pure/tally.h"

static void hit(struct bc_cells *image, uint32_t rule, uint64_t hits, uint32_t last)
{
	bc_rule_at(image, rule)->hits = hits;
	bc_rule_at(image, rule)->last = last;
}

/* What rule number `rule` of the new image gets; 0 when nothing. */
static uint64_t carried(const struct bc_tally *tallies, size_t n, uint32_t rule)
{
	for (size_t i = 0; i < n; i++)
		if (tallies[i].rule == rule)
			return tallies[i].hits;
	return 0;
}

/* As a reader of the kernel's pages does: the rules in pieces, of `some` at a time. */
static void carry(const struct bc_cells *from, const struct bc_cells *to, uint32_t some, struct bc_tally **ret,
		  size_t *ret_n)
{
	_cleanup_(bc_hits_done) struct bc_hits hits = {};
	uint32_t cell, rules = bc_tally_find(from->cells, from->n, &cell);
	const struct bc_rule_cell *first = from->cells[cell].rules;

	for (uint32_t done = 0; done < rules; done += some) {
		some = some < rules - done ? some : rules - done;
		assert_int_equal(bc_tally_take(&hits, first + done, some), 0);
	}
	assert_int_equal(bc_tally_carry(&hits, to, ret, ret_n), 0);
}

static void rules_that_mean_the_same_go_on(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells from = {}, to = {};
	_cleanup_free_ struct bc_tally *tallies = NULL;
	size_t n;

	(void)state;
	image_from_text(&from,
			"grant user 1 port 80\ndeny port 81\nallow group 2 port 82 proto tcp\nrewrite port 83 to ::1\n"
			"grant user 1 port 84\n");
	image_from_text(&to,
			"\n# moved\nrewrite port 83 to ::1\ngrant user 1 port 85\nallow group 2 port 82 proto udp\n"
			"deny port 81\ngrant port 80 user 1\n");
	hit(&from, 0, 7, 70);
	hit(&from, 1, 8, 80);
	hit(&from, 2, 9, 90);
	hit(&from, 3, 10, 100);
	carry(&from, &to, 2, &tallies, &n);
	assert_int_equal(n, 3);
	assert_int_equal(carried(tallies, n, 0), 10);
	assert_int_equal(carried(tallies, n, 1), 0);
	/* Another protocol is another rule. */
	assert_int_equal(carried(tallies, n, 2), 0);
	assert_int_equal(carried(tallies, n, 3), 8);
	assert_int_equal(carried(tallies, n, 4), 7);
	/* In the order of their numbers. */
	assert_true(tallies[0].rule < tallies[1].rule && tallies[1].rule < tallies[2].rule);
	assert_int_equal(tallies[0].last, 100);
}

/* Each count goes to one rule. */
static void rules_written_twice_are_kept_apart(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells from = {}, to = {};
	_cleanup_free_ struct bc_tally *tallies = NULL;
	size_t n;

	(void)state;
	image_from_text(&from, "deny port 81\ndeny port 81\n");
	image_from_text(&to, "deny port 81\ndeny port 81\ndeny port 81\n");
	hit(&from, 0, 5, 1);
	hit(&from, 1, 6, 1);
	carry(&from, &to, 1, &tallies, &n);
	assert_int_equal(n, 2);
	assert_int_equal(carried(tallies, n, 0), 5);
	assert_int_equal(carried(tallies, n, 1), 6);
	assert_int_equal(carried(tallies, n, 2), 0);
}

/* An ID is half a digest: that of another rule may be the same. */
static void rules_that_share_an_id_are_told_apart(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells from = {}, to = {};
	_cleanup_free_ struct bc_tally *tallies = NULL;
	const char *const others[] = { "grant port 81\n",	   "deny port 81 errno EPERM\n",
				       "deny port 81 proto tcp\n", "deny port 81 addr 10.0.0.0/8\n",
				       "deny group 2 port 81\n",   "deny port 81 until 2199-01-01T00:00:00Z\n",
				       "deny port 81 log\n",	   "deny port 81\n" };
	size_t n;

	(void)state;
	image_from_text(&from, "deny port 81\n");
	hit(&from, 0, 5, 1);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		image_from_text(&to, others[i]);
		to.cells[to.cells[0].header.rules].rules[0].id = from.cells[from.cells[0].header.rules].rules[0].id;
		carry(&from, &to, 1, &tallies, &n);
		assert_int_equal(n, i == ARRAY_SIZE(others) - 1);
		free(TAKE_PTR(tallies));
		bc_cells_done(&to);
		to = (struct bc_cells){};
	}
}

static void nothing_comes_of_nothing(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells from = {}, to = {};
	_cleanup_free_ struct bc_tally *tallies = NULL;
	size_t n = 1;

	(void)state;
	image_from_text(&from, "deny port 81\n");
	image_from_text(&to, "deny port 81\n");
	carry(&from, &to, 1, &tallies, &n);
	assert_int_equal(n, 0);
}

/* Nobody has checked the image in force: what it says of its rules may be anything. */
static void rules_are_only_looked_for_within_the_image(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct {
		uint32_t magic, schema, rules, nrules, n, found;
	} cases[] = {
		{ BC_MAGIC, BC_SCHEMA, 5, 4, 7, 4 },
		{ BC_MAGIC, BC_SCHEMA, 5, 3, 7, 3 },
		{ BC_MAGIC, BC_SCHEMA, 5, 0, 7, 0 },
		{ BC_MAGIC, BC_SCHEMA, 5, 5, 7, 0 },
		{ BC_MAGIC, BC_SCHEMA, 5, ~0u, 7, 0 },
		{ BC_MAGIC, BC_SCHEMA, 5, -10u, 7, 0 }, /* whose end would be 0 */
		{ BC_MAGIC, BC_SCHEMA, 8, 0, 7, 0 },
		{ BC_MAGIC, BC_SCHEMA, 0x7fffffff, 1, 7, 0 },
		{ BC_MAGIC, BC_SCHEMA, ~0u, 2, 7, 0 },
		{ BC_MAGIC, BC_SCHEMA - 1, 5, 2, 7, 0 },
		{ 0, 0, 0, 0, 64, 0 }, /* the one that the programs are loaded with */
		{ BC_MAGIC, BC_SCHEMA, 0, 1, 1, 0 },
		{ BC_MAGIC, BC_SCHEMA, 0, 0, 0, 0 },
	};

	(void)state;
	image_from_text(&image, "deny port 81\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t cell, found;

		image.cells[0].header.magic = cases[i].magic;
		image.cells[0].header.schema = cases[i].schema;
		image.cells[0].header.rules = cases[i].rules;
		image.cells[1].about.nrules = cases[i].nrules;
		found = bc_tally_find(image.cells, cases[i].n, &cell);
		if (found != cases[i].found || (found && cell != cases[i].rules))
			fail_msg("case %zu: %u rules from cell %u on", i, found, cell);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_mean_the_same_go_on),
		cmocka_unit_test(rules_written_twice_are_kept_apart),
		cmocka_unit_test(rules_that_share_an_id_are_told_apart),
		cmocka_unit_test(nothing_comes_of_nothing),
		cmocka_unit_test(rules_are_only_looked_for_within_the_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
