/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images with every kind of cell, for tests that read them back or break them. Included after "unit.h". */
#ifndef BINDCTL_TEST_IMAGES_H
#define BINDCTL_TEST_IMAGES_H

#include "pure/decompile.h"
#include "pure/inspect.h"

/* Runs, lists, single slots, both families: every kind of cell. */
static const char mixed[] __attribute__((unused)) = "grant user alice port 80,443,8000-8100\n"
						    "deny user alice port 8050 proto udp\n"
						    "grant user bob port 443\n"
						    "deny port 1-1023 errno EADDRINUSE\n"
						    "allow port 100-200 addr 10.0.0.0/8\n"
						    "grant port 150 addr 2001:db8::/32 netns any\n"
						    "deny user carol port any\n"
						    "grant user carol port any proto tcp\n";

/* And every kind of cell that those lack. */
static const char scoped[] __attribute__((unused)) =
	"grant group 7 port 80,443\n"
	"rewrite cgroup /a/b port 80 to 10.0.0.1:81 hidden log\n"
	"reserve cgroup /a/c group 8 port 80-90 errno EPERM until 2030-01-01T00:00:00Z\n"
	"deny unit a234567890123456789012345678901234567890.service port 80 audit\n"
	"grant cgroup /a port 443\n"
	"rewrite port 443 to ::1\n";

static inline struct bc_cells copy_of(const struct bc_cells *image, uint32_t n)
{
	struct bc_cells copy = { malloc(n ? n * sizeof(*copy.cells) : 1), n };

	memcpy(copy.cells, image->cells, (n < image->n ? n : image->n) * sizeof(*copy.cells));
	return copy;
}

static inline int decompiled(const struct bc_cells *image)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct bc_error error = {};
	int r = bc_decompile(image, &policy, &error);

	if (r == -EBADMSG)
		assert_contains(error.text, "the compiled policy ");
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
static inline void decide_some(const struct bc_cells *image)
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

static inline struct bc_slot *slot_at(struct bc_cells *image, uint32_t number)
{
	return &image->cells[BC_INDEX + number / BC_SLOTS].slots[number % BC_SLOTS];
}

static inline struct bc_slot *slot_of(struct bc_cells *image, uint32_t kind, uint32_t id)
{
	for (uint32_t i = 0; i < image->cells[0].header.buckets * BC_SLOTS; i++)
		if (slot_at(image, i)->key == bc_key(BC_SCOPE_ROOT, kind) && slot_at(image, i)->id == id)
			return slot_at(image, i);
	fail_msg("no slot for kind %u id %u", kind, id);
	return NULL;
}

/* A slot of another kind, wherever it is. */
static inline struct bc_slot *slot_in(struct bc_cells *image, uint32_t scope, uint32_t kind)
{
	for (uint32_t i = 0; i < image->cells[0].header.buckets * BC_SLOTS; i++)
		if (slot_at(image, i)->key == bc_key(scope, kind))
			return slot_at(image, i);
	fail_msg("no slot for scope %u kind %u", scope, kind);
	return NULL;
}

#endif
