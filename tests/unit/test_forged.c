// SPDX-License-Identifier: GPL-2.0-or-later
/* Images that no compiler wrote, made up to lead whoever reads them astray. */
#include <sys/resource.h>

#include "pure/decompile.h"
#include "pure/inspect.h"
#include "unit.h"

static int decompiled(const struct bc_cells *image)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	return bc_decompile(image, &policy, NULL);
}

/* The most memory that there was at a time, in kB. */
static long most_memory(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* Slots that share runs, whose segments share a list: 33 kB that would become some gigabytes. */
static void image_that_multiplies_is_refused(void **state)
{
	enum {
		BUCKETS = 64,
		SEGMENTS = 128,
		LISTS = 192
	};
	uint32_t segments = BC_INDEX + BUCKETS, lists = segments + SEGMENTS, rules = lists + LISTS;
	_cleanup_(bc_cells_done) struct bc_cells image = { calloc(rules + 3, sizeof(union bc_cell)), rules + 3 };
	uint32_t uid = 0;
	long before;

	(void)state;
	image.cells[0].header = (struct bc_header){ .magic = BC_MAGIC,
						    .schema = BC_SCHEMA,
						    .features = BC_F_USER,
						    .buckets = BUCKETS,
						    .segments = segments,
						    .lists = lists,
						    .rules = rules,
						    .scopes = rules + 1,
						    .labels = rules + 2 };
	image.cells[1].about =
		(struct bc_about){ .cells = rules + 3, .nrules = 1, .nscopes = 1, .names = rules + 2, .nsources = 1 };
	/* Where a search comes to them: each user in his own bucket. */
	for (uint32_t i = 0; i < BUCKETS * BC_SLOTS; i++, uid++) {
		while (bc_bucket(bc_hash(bc_key(BC_SCOPE_ROOT, BC_USER), uid, 0), BUCKETS) != i / BC_SLOTS)
			uid++;
		image.cells[BC_INDEX + i / BC_SLOTS].slots[i % BC_SLOTS] =
			(struct bc_slot){ bc_key(BC_SCOPE_ROOT, BC_USER), uid, BC_REF_RUN, SEGMENTS * BC_SEGMENTS };
	}
	for (uint32_t i = 0; i < SEGMENTS * BC_SEGMENTS; i++)
		image.cells[segments + i / BC_SEGMENTS].segments[i % BC_SEGMENTS] =
			(struct bc_segment){ i + 1, i + 1, BC_REF_LIST };
	image.cells[rules - 1].refs[BC_REFS - 1] = BC_REF_LAST;
	image.cells[rules].rules[0] = (struct bc_rule_cell){ .verdict = BC_ALLOW, .source = 0 };
	image.cells[rules + 1].scopes[0].first = BC_SCOPE_ROOT;
	assert_int_equal(bc_image_check(&image, NULL), 0);
	before = most_memory();
	assert_int_equal(decompiled(&image), -EBADMSG);
	assert_in_range(most_memory() - before, 0, 64 << 10);
}

/* Names that no policy can hold, in an image that is sound otherwise. */
static void name_that_no_policy_can_hold_is_refused(void **state)
{
	static const char *const names[] = { ".", "..", "a/b", "/", "", "a\033[2J", "a\nb", "\177" };
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	union bc_part *part;

	(void)state;
	image_from_text(&image, "allow cgroup /name port 80\n");
	part = &image.cells[image.cells[0].header.labels].parts[0];
	assert_string_equal(part->bytes, "name");
	assert_int_equal(bc_image_check(&image, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		memset(part, 0, sizeof(*part));
		memcpy(part->bytes, names[i], strlen(names[i]));
		assert_int_equal(bc_image_check(&image, NULL), -EBADMSG);
	}
}

/* Slots that list would show, and no search comes to. */
static void slot_that_is_never_found_is_refused(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_slot *slots, first;
	struct bc_about *about;

	(void)state;
	image_from_text(&image, "deny port 80\n");
	slots = image.cells[BC_INDEX].slots;
	about = &image.cells[1].about;
	/* Everyone has no number; whoever makes up the image makes up its digest too. */
	slots[0].id = 1;
	assert_int_equal(bc_decompile(&image, &policy, NULL), -EBADMSG);
	about->digest = policy.n ? bc_policy_digest(&policy) : 0;
	assert_int_equal(decompiled(&image), -EBADMSG);
	bc_cells_done(&image);

	image_from_text(&image, "deny user 1 port 80\ndeny user 2 port 81\n");
	slots = image.cells[BC_INDEX].slots;
	about = &image.cells[1].about;
	assert_int_equal(decompiled(&image), 0);
	first = slots[0];
	slots[1].id = first.id;
	bc_policy_done(&policy);
	assert_int_equal(bc_decompile(&image, &policy, NULL), -EBADMSG);
	about->digest = bc_policy_digest(&policy);
	assert_int_equal(decompiled(&image), -EBADMSG);
}

/* Two users' slots that lead to one rule, which list would show as one of theirs. */
static void rule_of_two_subjects_is_refused(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_slot *slots;

	(void)state;
	image_from_text(&image, "grant user 1 port 80\n");
	slots = image.cells[BC_INDEX].slots;
	slots[1] = slots[0];
	slots[1].id = 2;
	slots[1].ports = 81 | 81 << 16;
	assert_int_equal(bc_decompile(&image, &policy, NULL), -EBADMSG);
	image.cells[1].about.digest = bc_policy_digest(&policy);
	assert_int_equal(decompiled(&image), -EBADMSG);
}

/* A reserve that keeps nobody out. */
static void reserve_that_denies_nobody_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_slot *slots;

	(void)state;
	image_from_text(&image, "reserve user 1 port 80-90\ngrant port 1\n");
	slots = image.cells[BC_INDEX].slots;
	assert_int_equal(decompiled(&image), 0);
	/* Everyone's segments are both ranges, grant and deny; what remains is the grant. */
	for (unsigned k = 0; k < BC_SLOTS; k++) {
		if (slots[k].key == bc_key(BC_SCOPE_ROOT, BC_ANYONE)) {
			assert_int_equal(slots[k].ports, 2);
			slots[k].ports = 1;
		}
	}
	assert_int_equal(decompiled(&image), -EBADMSG);
}

/* The root is nobody's cgroup, but a reserve must name somebody to be read again. */
static void reserve_for_the_root_comes_back_with_it(void **state)
{
	static const char text[] = "reserve cgroup / port 80";
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	_cleanup_(bc_text_done) struct bc_text line = {};

	(void)state;
	image_from_text(&image, "reserve cgroup / port 80\n");
	assert_int_equal(bc_decompile(&image, &policy, NULL), 0);
	bc_format_rule(&line, &policy, &policy.rules[0]);
	assert_string_equal(line.data, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_that_multiplies_is_refused),
		cmocka_unit_test(name_that_no_policy_can_hold_is_refused),
		cmocka_unit_test(slot_that_is_never_found_is_refused),
		cmocka_unit_test(rule_of_two_subjects_is_refused),
		cmocka_unit_test(reserve_that_denies_nobody_is_refused),
		cmocka_unit_test(reserve_for_the_root_comes_back_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
