// SPDX-License-Identifier: GPL-2.0-or-later
/* Images whose header, slots, segments, lists or scopes are not what they were. */
#include "unit.h"
#include "images.h"

static void image_cut_short_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, mixed);
	assert_int_equal(decompiled(&image), 0);
	for (uint32_t n = 0; n < image.n; n++) {
		_cleanup_(bc_cells_done) struct bc_cells cut = copy_of(&image, n);

		assert_int_equal(decompiled(&cut), -EBADMSG);
		decide_some(&cut);
		if (!n)
			continue;
		/* And with a header that agrees. */
		if (n > 1)
			cut.cells[1].about.cells = n;
		assert_int_equal(decompiled(&cut), -EBADMSG);
		decide_some(&cut);
	}
}

#define FIELD(cell, f)                                                                                   \
	{                                                                                                \
#f, offsetof(struct cell, f) + (sizeof(#cell) == sizeof("bc_about") ? BC_CELL_SIZE : 0), \
			sizeof(((struct cell *)NULL)->f)                                                 \
	}

static void header_out_of_bounds_is_refused(void **state)
{
	static const struct {
		const char *name;
		size_t offset, size;
	} fields[] = { FIELD(bc_header, magic),	  FIELD(bc_header, schema),   FIELD(bc_header, features),
		       FIELD(bc_header, buckets), FIELD(bc_header, segments), FIELD(bc_header, lists),
		       FIELD(bc_header, rules),	  FIELD(bc_header, scopes),   FIELD(bc_header, labels),
		       FIELD(bc_about, cells),	  FIELD(bc_about, nrules),    FIELD(bc_about, nscopes),
		       FIELD(bc_about, names),	  FIELD(bc_about, nsources) };
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, mixed);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint32_t old = 0;

		memcpy(&old, (char *)image.cells + fields[i].offset, fields[i].size);
		/* A second, empty file name fits into the padding: the one value too many that is in bounds. */
		uint32_t more = strcmp(fields[i].name, "nsources") ? old + 1 : 1000;
		uint32_t values[] = { 0, old - 1, more, old + 1000, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, ~0u };

		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			_cleanup_(bc_cells_done) struct bc_cells bad = copy_of(&image, image.n);
			int r;

			memcpy((char *)bad.cells + fields[i].offset, &values[k], fields[i].size);
			if (!memcmp(bad.cells, image.cells, 2 * sizeof(*bad.cells)))
				continue;
			r = decompiled(&bad);
			if (r != -EBADMSG)
				fail_msg("%s = %#x instead of %#x gives %d", fields[i].name, values[k], old, r);
			decide_some(&bad);
		}
	}
}

/* match.h leaves every bind to the kernel then, so nothing may be shown as being in force. */
static void unknown_feature_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_question question = ask(1001, 443, "10.0.0.1");
	struct bc_answer answer = {};

	(void)state;
	image_from_text(&image, mixed);
	image.cells[0].header.features |= 1u << 15;
	assert_int_equal(bc_decide_image(&image, &question, &answer), -EBADMSG);
	assert_int_equal(decompiled(&image), -EBADMSG);
}

/* The program skips what the header does not name: a rule of it would be listed and never asked. */
static void feature_that_rules_use_must_be_named(void **state)
{
	static const unsigned features[] = { BC_F_USER,	 BC_F_ANYONE, BC_F_ADDR,   BC_F_GROUP,
					     BC_F_SCOPE, BC_F_DENY,   BC_F_REWRITE };
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_true(asprintf(&text, "%s%s", mixed, scoped) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		_cleanup_(bc_cells_done) struct bc_cells image = {};

		image_from_text(&image, text);
		assert_true(image.cells[0].header.features & features[i]);
		image.cells[0].header.features &= ~features[i];
		if (decompiled(&image) != -EBADMSG)
			fail_msg("feature %#x is not missed", features[i]);
	}
}

/* Likewise a slot that a search does not come to, here because the hash's seed is another. */
static void slot_that_no_search_finds_is_refused(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	for (unsigned uid = 0; uid < 200; uid++)
		bc_text_addf(&text, "grant user %u port 80\n", uid);
	image_from_text(&image, text.data);
	image.cells[0].header.seed += 1000;
	assert_int_equal(decompiled(&image), -EBADMSG);
}

static void slot_out_of_bounds_is_refused(void **state)
{
	static const struct bc_slot bad[] = {
		{ .key = BC_SCOPE_ROOT << 2, .id = 1001, .ports = 443 | 443 << 16, .ref = 2 },
		{ .key = BC_SCOPE_ROOT << 2 | 2, .id = 1001, .ports = 443 | 443 << 16, .ref = 2 },
		{ .key = 2 << 2 | BC_USER, .id = 1001, .ports = 443 | 443 << 16, .ref = 2 },
		{ .key = 0x3fffffffu << 2 | BC_USER, .id = 1001, .ports = 443 | 443 << 16, .ref = 2 },
		{ .key = 5, .id = 1001, .ports = 443 | 442 << 16, .ref = 2 },
		{ .key = 5, .id = 1001, .ports = 443 | 443 << 16, .ref = 8 },
		{ .key = 5, .id = 1001, .ports = 443 | 443 << 16, .ref = BC_REF_NUMBER },
		{ .key = 5, .id = 1001, .ports = 443 | 443 << 16, .ref = BC_REF_LIST | 16 * BC_REFS },
		{ .key = 5, .id = 1001, .ports = 443 | 443 << 16, .ref = BC_REF_LIST | BC_REF_NUMBER },
		{ .key = 5, .id = 1001, .ports = 0, .ref = BC_REF_RUN },
		{ .key = 5, .id = 1001, .ports = 65537, .ref = BC_REF_RUN },
		{ .key = 5, .id = 1001, .ports = ~0u, .ref = BC_REF_RUN },
		{ .key = 5, .id = 1001, .ports = 1, .ref = BC_REF_RUN | 16 * BC_SEGMENTS },
		{ .key = 5, .id = 1001, .ports = ~0u, .ref = BC_REF_RUN | BC_REF_NUMBER },
		{ .key = 0, .id = 1001, .ports = 443 | 443 << 16, .ref = 2 }, /* its rule is then without ports */
	};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, mixed);
	assert_int_equal(slot_of(&image, BC_USER, 1001)->ref & BC_REF_RULE, 2);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(bc_cells_done) struct bc_cells copy = copy_of(&image, image.n);

		*slot_of(&copy, BC_USER, 1001) = bad[i];
		if (decompiled(&copy) != -EBADMSG)
			fail_msg("slot %zu is taken", i);
		decide_some(&copy);
	}
}

/* The header's digest is of the rules: an image that says something else by now is broken. */
static void slot_of_another_subject_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells user = {}, anyone = {};

	(void)state;
	image_from_text(&user, mixed);
	image_from_text(&anyone, mixed);
	slot_of(&user, BC_USER, 1001)->id = 1005;
	slot_of(&anyone, BC_ANYONE, 0)->id = 7;
	assert_int_equal(decompiled(&user), -EBADMSG);
	assert_int_equal(decompiled(&anyone), -EBADMSG);
}

/* The same rules and so the same digest: but the search would go astray. */
static void run_out_of_order_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_segment *segments, first;

	(void)state;
	image_from_text(&image, "grant port 80\ndeny port 90\n");
	assert_int_equal(decompiled(&image), 0);
	segments = image.cells[image.cells[0].header.segments].segments;
	first = segments[0];
	segments[0] = segments[1];
	segments[1] = first;
	assert_int_equal(decompiled(&image), -EBADMSG);
}

/* Fields of a scope that is not what it was; the rules stay as they are. */
static void forged_scope_is_refused(void **state)
{
	/* Of `scoped`: 2 /a, 3 /a/b, 4 /a/c, 5 /system.slice, 6 its unit, of two parts. */
	static const struct {
		uint32_t scope;
		struct bc_scope entry;
	} forged[] = {
		{ 1, { 1, 1, 0, 0 } },	     /* the root above itself: the search would never end */
		{ 1, { 1, 0, 1, 0 } },	     /* or its own parent */
		{ 1, { 2, 0, 0, 0 } },	     /* led into a cgroup */
		{ 1, { 0, 0, 0, 0 } },	     /* without the rules that it has */
		{ 2, { 2, 2, 1, 0x001 } },   /* above itself */
		{ 2, { 2, 3, 1, 0x001 } },   /* below its child: a cycle */
		{ 2, { 2, 0, 1, 0x001 } },   /* not reaching the root's rules */
		{ 2, { 2, 1, 2, 0x001 } },   /* its own parent */
		{ 2, { 2, 1, 3, 0x001 } },   /* its child's child */
		{ 2, { 2, 1, 0, 0x001 } },   /* a second root */
		{ 2, { 2, 1, 7, 0x001 } },   /* below nothing */
		{ 2, { 2, 1, ~0u, 0x001 } }, /* far outside */
		{ 2, { 3, 1, 1, 0x001 } },   /* as if it were its child */
		{ 2, { 0, 1, 1, 0x001 } },   /* as if nothing above it had rules */
		{ 2, { 2, 1, 1, 0x101 } },   /* with its child's name */
		{ 2, { 2, 1, 1, 0x000 } },   /* without a name */
		{ 2, { 2, 1, 1, 0x002 } },   /* with one that goes on into the next */
		{ 2, { 2, 1, 1, 0x009 } },   /* longer than a name can be */
		{ 2, { 2, 1, 1, 0xffffff01 } }, { 6, { 6, 1, 5, 0x401 } }, /* half of its name */
		{ 6, { 6, 1, 5, 0x502 } },	{ 6, { 6, 1, 5, 0x4ff } },
		{ 3, { 2, 2, 2, 0x101 } }, /* without the rule that it has */
		{ 4, { 4, 1, 1, 0x201 } }, /* a step up */
		{ 5, { 5, 1, 1, 0x301 } }, /* as if it had rules */
	};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, scoped);
	assert_int_equal(decompiled(&image), 0);
	assert_int_equal(image.cells[1].about.nscopes, 6);
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		_cleanup_(bc_cells_done) struct bc_cells copy = copy_of(&image, image.n);
		struct bc_scope *scope = (struct bc_scope *)bc_scope_at(&copy, forged[i].scope);

		assert_memory_not_equal(scope, &forged[i].entry, sizeof(*scope));
		*scope = forged[i].entry;
		if (decompiled(&copy) != -EBADMSG)
			fail_msg("forged scope %zu is taken", i);
		decide_some(&copy);
	}
}

static void forged_name_is_refused(void **state)
{
	static const struct {
		unsigned part, byte;
		char value;
	} forged[] = {
		{ 0, 0, 'x' },	/* another name, whose hash is not the slot's */
		{ 0, 0, '\0' }, /* none */
		{ 0, 0, '/' },	/* a path */
		{ 0, 5, 'x' },	/* something behind its end */
		{ 4, 10, '\0' } /* an end in its middle */,
		{ 4, 31, '\0' },
		{ 5, 31, 'x' },
	};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	(void)state;
	image_from_text(&image, scoped);
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		_cleanup_(bc_cells_done) struct bc_cells copy = copy_of(&image, image.n);

		((union bc_part *)bc_label_at(&copy, forged[i].part))->bytes[forged[i].byte] = forged[i].value;
		if (decompiled(&copy) != -EBADMSG)
			fail_msg("forged name %zu is taken", i);
		decide_some(&copy);
	}
}

static void forged_way_down_is_refused(void **state)
{
	static const uint32_t refs[] = { 0, 1, 3, 4, 5, 7, 0x07ffffff, 2 | BC_REF_RUN, 2 | BC_REF_LIST };
	_cleanup_(bc_cells_done) struct bc_cells image = {}, lost = {};

	(void)state;
	image_from_text(&image, "grant cgroup /a port 80\ngrant cgroup /a/b port 80\ngrant cgroup /a/c port 80\n");
	for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
		_cleanup_(bc_cells_done) struct bc_cells copy = copy_of(&image, image.n);

		slot_in(&copy, BC_SCOPE_ROOT, BC_CHILD)->ref = refs[i];
		if (decompiled(&copy) != -EBADMSG)
			fail_msg("a slot that leads to %#x is taken", refs[i]);
		decide_some(&copy);
	}
	/* A scope that no slot leads to. */
	lost = copy_of(&image, image.n);
	*slot_in(&lost, BC_SCOPE_ROOT, BC_CHILD) = (struct bc_slot){};
	assert_int_equal(decompiled(&lost), -EBADMSG);
}

static void list_that_does_not_end_is_refused(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	uint32_t *refs;

	(void)state;
	image_from_text(&image, "grant port 80\ndeny port 80\n");
	refs = image.cells[image.cells[0].header.lists].refs;
	assert_true(refs[1] & BC_REF_LAST);
	refs[1] &= ~BC_REF_LAST;
	assert_int_equal(decompiled(&image), -EBADMSG);
	decide_some(&image);
	refs[1] |= BC_REF_LAST | BC_REF_LIST;
	assert_int_equal(decompiled(&image), -EBADMSG);
	decide_some(&image);
}

static void broken_image_is_said_to_be_one(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_cells none = {};
	struct bc_error error = {};

	(void)state;
	image_from_text(&image, scoped);
	assert_int_equal(bc_image_check(&image, &error), 0);
	assert_int_equal(bc_image_check(&none, &error), -EBADMSG);
	assert_string_equal(error.text, "the compiled policy is broken: it is empty; run: bindctl load");
	image.cells[0].header.schema++;
	assert_int_equal(bc_image_check(&image, &error), -EBADMSG);
	assert_string_equal(error.text, "the compiled policy has schema 5; this bindctl reads 4; run: bindctl load");
}

static void random_damage_is_refused_or_harmless(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	uint64_t seed = 0xbadce11;
	unsigned refused = 0;

	(void)state;
	image_from_text(&image, scoped);
	for (int i = 0; i < 20000; i++) {
		if (i == 10000) {
			bc_cells_done(&image);
			image_from_text(&image, mixed);
		}

		_cleanup_(bc_cells_done) struct bc_cells bad = copy_of(&image, image.n);
		int r;

		for (unsigned k = 0, n = 1 + random_below(&seed, 4); k < n; k++) {
			uint32_t at = random_below(&seed, image.n * sizeof(*bad.cells));

			((unsigned char *)bad.cells)[at] ^= 1u << random_below(&seed, 8);
		}
		r = decompiled(&bad);
		assert_true(!r || r == -EBADMSG);
		refused += !!r;
		decide_some(&bad);
	}
	/* Most bits are padding and unused: but the rest must have been seen. */
	assert_true(refused > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_cut_short_is_refused),
		cmocka_unit_test(header_out_of_bounds_is_refused),
		cmocka_unit_test(unknown_feature_is_refused),
		cmocka_unit_test(feature_that_rules_use_must_be_named),
		cmocka_unit_test(slot_that_no_search_finds_is_refused),
		cmocka_unit_test(slot_out_of_bounds_is_refused),
		cmocka_unit_test(slot_of_another_subject_is_refused),
		cmocka_unit_test(run_out_of_order_is_refused),
		cmocka_unit_test(forged_scope_is_refused),
		cmocka_unit_test(forged_name_is_refused),
		cmocka_unit_test(forged_way_down_is_refused),
		cmocka_unit_test(list_that_does_not_end_is_refused),
		cmocka_unit_test(broken_image_is_said_to_be_one),
		cmocka_unit_test(random_damage_is_refused_or_harmless),
	};

	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
