// SPDX-License-Identifier: GPL-2.0-or-later
/* An image into which somebody has written is told from what the compiler made, whatever byte it is. */
#include "unit.h"
#include "images.h"
#include "pure/verify.h"

static void make(const char *text, struct bc_cells *ret_image)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	policy_from_text(&policy, text);
	image_from_policy(ret_image, &policy);
}

/* As status looks at it. */
static int look(const struct bc_cells *image)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct bc_error error = {};
	int r = bc_decompile(image, &policy, &error);

	return r ? r : bc_image_verify(image, &policy, &error);
}

static void assert_whole(const char *text)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	make(text, &image);
	if (look(&image))
		fail_msg("not what the compiler made:\n%s", text);
}

static void what_the_compiler_made_is_whole(void **state)
{
	uint64_t seed = 0x7e21f;

	(void)state;
	assert_whole("");
	assert_whole(mixed);
	assert_whole(scoped);
	assert_whole("reserve cgroup / port 80\nreserve user 5 port 80\nreserve group 5 cgroup / port 81\n");
	assert_whole("grant unit a.service port 80\ngrant cgroup /system.slice/a.service port 80\n");
	assert_whole("deny user 1 port 80\ngrant user 1 port 80\n");
	for (int i = 0; i < 3000; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		random_policy(&seed, &unit_tables, 1 + random_below(&seed, 40), &text);
		assert_whole(text.data);
	}
}

/* What is filled in later: the rest of the header, and of each rule how often and when it was hit. */
static bool is_filled_in(const struct bc_cells *image, size_t at)
{
	const struct bc_header *h = &image->cells[0].header;
	size_t cell = at / BC_CELL_SIZE, byte = at % BC_CELL_SIZE, rule = (cell - h->rules) * BC_RULES + byte / 32;

	if (!cell)
		return byte >= offsetof(struct bc_header, tai_offset);
	if (cell >= h->rules && cell < h->scopes && rule < image->cells[1].about.nrules)
		return byte % 32 >= offsetof(struct bc_rule_cell, last);
	return false;
}

/* Where a rule was read from, and how it was written, decides nothing: said otherwise it is the same image. */
static bool is_a_place(const struct bc_cells *image, size_t at, int bit)
{
	const struct bc_header *h = &image->cells[0].header;
	size_t cell = at / BC_CELL_SIZE, byte = at % BC_CELL_SIZE % 32,
	       rule = (cell - h->rules) * BC_RULES + at % BC_CELL_SIZE / 32;

	if (cell >= image->cells[1].about.names)
		return true;
	return cell >= h->rules && cell < h->scopes && rule < image->cells[1].about.nrules &&
	       ((byte >= offsetof(struct bc_rule_cell, source) && byte < offsetof(struct bc_rule_cell, id)) ||
		(byte == offsetof(struct bc_rule_cell, flags) && 1u << bit == BC_RULE_UNIT));
}

static void any_byte_that_is_another_is_found(void **state)
{
	static const char text[] = "grant user 5 port 80\ndeny port 1-1023\nreserve group 6 port 443\n"
				   "grant cgroup /a/b port 81 proto tcp\nallow user 7 port 82 addr 10.0.0.0/8\n"
				   "rewrite user 8 port 83 to [::1]:84 hidden\ndeny user 5 port 80-90 audit\n"
				   "grant user 5 port 80 addr 10.0.0.1 until 2199-01-01T00:00:00Z\n";
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	unsigned char *bytes;

	(void)state;
	make(text, &image);
	bytes = (unsigned char *)image.cells;
	for (size_t at = 0; at < (size_t)image.n * BC_CELL_SIZE; at++) {
		for (int bit = 0; bit < 8; bit++) {
			bool found;

			bytes[at] ^= 1 << bit;
			found = look(&image) == -EBADMSG;
			bytes[at] ^= 1 << bit;
			if (!found && !is_filled_in(&image, at) && !is_a_place(&image, at, bit))
				fail_msg("byte %zu, bit %d of cell %zu is taken for what it was", at % BC_CELL_SIZE,
					 bit, at / BC_CELL_SIZE);
		}
	}
	assert_int_equal(look(&image), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_compiler_made_is_whole),
		cmocka_unit_test(any_byte_that_is_another_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
