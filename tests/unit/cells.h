/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are in an image that was compiled. Included after "unit.h". */
#ifndef BINDCTL_TEST_CELLS_H
#define BINDCTL_TEST_CELLS_H

static inline const struct bc_header *header_of(const struct bc_cells *image)
{
	return &image->cells[0].header;
}

static inline const struct bc_about *about_of(const struct bc_cells *image)
{
	return &image->cells[1].about;
}

/* The subject's slot, wherever it is in the index. */
static inline const struct bc_slot *slot_in(const struct bc_cells *image, uint32_t scope, uint32_t kind, uint32_t id)
{
	const struct bc_header *h = header_of(image);

	for (uint32_t i = 0; i < h->buckets * BC_SLOTS; i++) {
		const struct bc_slot *slot = &image->cells[BC_INDEX + i / BC_SLOTS].slots[i % BC_SLOTS];

		if (slot->key == bc_key(scope, kind) && slot->id == id)
			return slot;
	}
	fail_msg("no slot for scope %u kind %u id %u", scope, kind, id);
	return NULL;
}

static inline const struct bc_slot *slot_of(const struct bc_cells *image, uint32_t kind, uint32_t id)
{
	return slot_in(image, BC_SCOPE_ROOT, kind, id);
}

/* The lines of the rules of a list or a single rule, in order, those of everyone else with a minus. */
static inline void assert_lines(const struct bc_cells *image, uint32_t ref, const int *lines, size_t n)
{
	const uint32_t *refs = &ref;

	if (ref & BC_REF_LIST)
		refs = &image->cells[header_of(image)->lists].refs[ref & BC_REF_NUMBER];
	for (size_t i = 0; i < n; i++) {
		int line = bc_rule_at(image, refs[i] & BC_REF_RULE)->line;

		assert_int_equal(refs[i] & BC_REF_OTHERS ? -line : line, lines[i]);
		assert_int_equal(!!(refs[i] & BC_REF_LAST), ref & BC_REF_LIST && i + 1 == n);
	}
}

#endif
