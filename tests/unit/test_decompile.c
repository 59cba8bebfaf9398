// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/decompile.h"
#include "pure/inspect.h"
#include "unit.h"

/* Runs, lists, single slots, both families: every kind of cell. */
static const char mixed[] = "grant user alice port 80,443,8000-8100\n"
			    "deny user alice port 8050 proto udp\n"
			    "grant user bob port 443\n"
			    "deny port 1-1023 errno EADDRINUSE\n"
			    "allow port 100-200 addr 10.0.0.0/8\n"
			    "grant port 150 addr 2001:db8::/32 netns any\n"
			    "deny user carol port any\n"
			    "grant user carol port any proto tcp\n";

/* And every kind of cell that those lack. */
static const char scoped[] = "grant group 7 port 80,443\n"
			     "rewrite cgroup /a/b port 80 to 10.0.0.1:81 hidden log\n"
			     "reserve cgroup /a/c group 8 port 80-90 errno EPERM until 2030-01-01T00:00:00Z\n"
			     "deny unit a234567890123456789012345678901234567890.service port 80 audit\n"
			     "grant cgroup /a port 443\n"
			     "rewrite port 443 to ::1\n";

static struct bc_cells copy_of(const struct bc_cells *image, uint32_t n)
{
	struct bc_cells copy = { malloc(n ? n * sizeof(*copy.cells) : 1), n };

	memcpy(copy.cells, image->cells, (n < image->n ? n : image->n) * sizeof(*copy.cells));
	return copy;
}

static int decompiled(const struct bc_cells *image)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct bc_error error = {};
	int r = bc_decompile(image, &policy, &error);

	if (r == -EBADMSG)
		assert_contains(error.text, "image");
	/* Whoever prints what was accepted must not stumble. */
	for (size_t i = 0; !r && i < policy.n; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		bc_format_rule(&text, &policy, &policy.rules[i]);
		bc_text_addf(&text, "%s", bc_policy_source_of(&policy, &policy.rules[i]));
		assert_false(text.failed);
	}
	return r;
}

/* Decides a few binds on an image that may be broken: no crash, nothing read outside. */
static void decide_some(const struct bc_cells *image)
{
	static const unsigned ports[] = { 0, 80, 150, 443, 8050, 65535 };

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		struct bc_question question = ask(1000 + i % 4, ports[i], i % 2 ? "::" : "10.0.0.1");
		static const char *const cgroups[] = {
			NULL, "/a/b/c", "/a/c", "/system.slice/a234567890123456789012345678901234567890.service"
		};
		struct bc_answer answer = {};
		int r;

		question.cgroup = cgroups[i % 4];
		r = bc_decide_image(image, &question, &answer);
		assert_true(!r || r == -EBADMSG);
		bc_answer_done(&answer);
	}
}

static struct bc_slot *slot_at(struct bc_cells *image, uint32_t number)
{
	return &image->cells[BC_INDEX + number / BC_SLOTS].slots[number % BC_SLOTS];
}

static struct bc_slot *slot_of(struct bc_cells *image, uint32_t kind, uint32_t id)
{
	for (uint32_t i = 0; i < image->cells[0].header.buckets * BC_SLOTS; i++)
		if (slot_at(image, i)->key == bc_key(BC_SCOPE_ROOT, kind) && slot_at(image, i)->id == id)
			return slot_at(image, i);
	fail_msg("no slot for kind %u id %u", kind, id);
	return NULL;
}

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

static void empty_policy_comes_back_empty(void **state)
{
	(void)state;
	assert_round_trip("");
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

/* A slot of another kind, wherever it is. */
static struct bc_slot *slot_in(struct bc_cells *image, uint32_t scope, uint32_t kind)
{
	for (uint32_t i = 0; i < image->cells[0].header.buckets * BC_SLOTS; i++)
		if (slot_at(image, i)->key == bc_key(scope, kind))
			return slot_at(image, i);
	fail_msg("no slot for scope %u kind %u", scope, kind);
	return NULL;
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

static void broken_image_is_said_to_be_one(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_cells none = {};
	struct bc_error error = {};

	(void)state;
	image_from_text(&image, scoped);
	assert_int_equal(bc_image_check(&image, &error), 0);
	assert_int_equal(bc_image_check(&none, &error), -EBADMSG);
	assert_string_equal(error.text, "the image is broken: it is empty");
	image.cells[0].header.schema++;
	assert_int_equal(bc_image_check(&image, &error), -EBADMSG);
	assert_string_equal(error.text, "the image has schema 5; this bindctl reads 4");
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
		cmocka_unit_test(rules_come_back_as_they_were),
		cmocka_unit_test(random_rules_come_back_as_they_were),
		cmocka_unit_test(sources_come_back_with_their_rules),
		cmocka_unit_test(image_cut_short_is_refused),
		cmocka_unit_test(header_out_of_bounds_is_refused),
		cmocka_unit_test(unknown_feature_is_refused),
		cmocka_unit_test(feature_that_rules_use_must_be_named),
		cmocka_unit_test(slot_that_no_search_finds_is_refused),
		cmocka_unit_test(slot_out_of_bounds_is_refused),
		cmocka_unit_test(slot_of_another_subject_is_refused),
		cmocka_unit_test(run_out_of_order_is_refused),
		cmocka_unit_test(rule_out_of_bounds_is_refused),
		cmocka_unit_test(deny_of_an_unknown_errno_is_refused),
		cmocka_unit_test(forged_scope_is_refused),
		cmocka_unit_test(forged_name_is_refused),
		cmocka_unit_test(forged_way_down_is_refused),
		cmocka_unit_test(others_of_what_is_no_reserve_are_refused),
		cmocka_unit_test(rule_of_a_group_outside_of_the_groups_slot_is_refused),
		cmocka_unit_test(rule_that_contradicts_itself_is_refused),
		cmocka_unit_test(details_that_lead_astray_are_refused),
		cmocka_unit_test(details_without_end_are_refused),
		cmocka_unit_test(list_that_does_not_end_is_refused),
		cmocka_unit_test(plain_reference_to_another_rule_is_refused),
		cmocka_unit_test(broken_image_is_said_to_be_one),
		cmocka_unit_test(name_of_a_scope_is_read_whole),
		cmocka_unit_test(random_damage_is_refused_or_harmless),
		/* Last: what the sanitizer finds ends the program. */
		cmocka_unit_test(empty_policy_comes_back_empty),
	};

	return cmocka_run_group_tests_name("decompile", tests, NULL, NULL);
}
