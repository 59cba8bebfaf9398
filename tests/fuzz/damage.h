/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done to an image, as bytes of an input say. */
#ifndef BINDCTL_DAMAGE_H
#define BINDCTL_DAMAGE_H

#include "fuzz.h"

/* Where damage is counted from. The ports do not count: most changes would go there and change nothing. */
enum place {
	HEADER,
	ABOUT,
	INDEX,
	SEGMENTS,
	LISTS,
	RULES,
	SCOPES,
	LABELS,
	NAMES,
	CHILD, /* the slots of cgroups, each as if it began a cell */
	PLACES,
};

enum kind {
	SET_WORD,
	ADD_TO_WORD,
	FLIP_BIT,
	SET_BYTE,
	COPY_WORD, /* from the place's cell value >> 8 */
	COPY_SLOT, /* or scope, likewise */
	RESIZE,
	RESIZE_ALL, /* with a header that agrees */
	REHASH,	    /* the index made to fit the names of all cgroups */
	KINDS,
};

/* One word of the image changed, or its length. In the input in this very form. */
struct damage {
	uint8_t place;
	uint8_t cell;
	uint8_t word;
	uint8_t kind;
	uint32_t value;
};

#define WORDS (BC_CELL_SIZE / sizeof(uint32_t))

static const char mark[] = "%\n";

/* An image in the making, and where its sections were before anything happened to it. */
struct patient {
	struct bc_cells image;
	uint32_t places[PLACES];
};

static inline struct bc_slot *slot_at(const struct patient *p, uint32_t number)
{
	return &p->image.cells[(BC_INDEX + number / BC_SLOTS) % p->image.n].slots[number % BC_SLOTS];
}

static inline bool is_child(const struct bc_slot *slot)
{
	return slot->key && (slot->key & 3) == BC_CHILD;
}

static inline uint32_t *word_at(const struct patient *p, unsigned place, uint32_t cell, uint32_t word)
{
	uint32_t slots = (p->places[SEGMENTS] - BC_INDEX) * BC_SLOTS;

	for (uint32_t i = 0; place == CHILD && i < slots; i++)
		if (is_child(slot_at(p, i)) && !cell--)
			return (uint32_t *)slot_at(p, i) + word % 4;
	return (uint32_t *)&p->image.cells[(p->places[place] + cell) % p->image.n] + word % WORDS;
}

/* To the cell, so that the sanitizer sees a look behind the end. */
static inline void resize(struct bc_cells *image, uint32_t n)
{
	union bc_cell *cells = calloc(n, sizeof(*cells));

	require(cells);
	memcpy(cells, image->cells, (n < image->n ? n : image->n) * sizeof(*cells));
	free(image->cells);
	*image = (struct bc_cells){ cells, n };
}

/* A scope's entry and the place of its name; NULL when they are not within the image. */
static inline const union bc_part *name_of(const struct patient *p, uint32_t scope, struct bc_scope *ret_entry)
{
	uint64_t size = (uint64_t)p->image.n * BC_CELL_SIZE, at;

	at = p->places[SCOPES] * (uint64_t)BC_CELL_SIZE + (scope - 1) * (uint64_t)sizeof(*ret_entry);
	if (!scope || at + sizeof(*ret_entry) > size)
		return NULL;
	memcpy(ret_entry, (char *)p->image.cells + at, sizeof(*ret_entry));
	at = p->places[LABELS] * (uint64_t)BC_CELL_SIZE + (ret_entry->label >> 8) * (uint64_t)BC_PART_SIZE;
	if (at + (ret_entry->label & 0xff) * (uint64_t)BC_PART_SIZE > size)
		return NULL;
	return (union bc_part *)((char *)p->image.cells + at);
}

static inline void place_slot(const struct patient *p, const struct bc_slot *slot, uint32_t buckets)
{
	uint32_t hash = bc_hash(slot->key, slot->id, p->image.cells[0].header.seed);

	for (unsigned probe = 0; probe < 2; probe++, hash = bc_rehash(hash))
		for (uint32_t i = 0; i < BC_SLOTS; i++) {
			struct bc_slot *free_slot = slot_at(p, bc_bucket(hash, buckets) * BC_SLOTS + i);

			if (!free_slot->key) {
				*free_slot = *slot;
				return;
			}
		}
}

/* What whoever makes up an image can do as well as the compiler. */
static inline void rehash(const struct patient *p)
{
	uint32_t buckets = p->places[SEGMENTS] - BC_INDEX, n = buckets * BC_SLOTS;
	_cleanup_free_ struct bc_slot *slots = calloc(n, sizeof(*slots));

	require(slots);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t hash = p->image.cells[0].header.seed;
		const union bc_part *name;
		struct bc_scope scope;

		slots[i] = *slot_at(p, i);
		*slot_at(p, i) = (struct bc_slot){};
		name = is_child(&slots[i]) ? name_of(p, slots[i].ref, &scope) : NULL;
		if (!name)
			continue;
		for (uint32_t k = 0; k < (scope.label & 0xff); k++)
			hash = bc_name_hash(hash, &name[k]);
		slots[i].key = bc_key(scope.parent, BC_CHILD);
		slots[i].id = bc_name_id(hash);
	}
	for (uint32_t i = 0; i < n; i++)
		if (slots[i].key)
			place_slot(p, &slots[i], buckets);
}

static inline void do_damage(struct patient *p, const struct damage *d)
{
	unsigned place = d->place % PLACES;
	uint32_t *word = word_at(p, place, d->cell, d->word);

	switch (d->kind % KINDS) {
	case SET_WORD:
		*word = d->value;
		break;
	case ADD_TO_WORD:
		*word += d->value;
		break;
	case FLIP_BIT:
		*word ^= 1u << d->value % 32;
		break;
	case SET_BYTE:
		((uint8_t *)word)[d->value >> 8 & 3] = d->value;
		break;
	case COPY_WORD:
		*word = *word_at(p, place, d->value >> 8 & 0xff, d->value);
		break;
	case COPY_SLOT:
		memmove(word_at(p, place, d->cell, d->word & 12),
			word_at(p, place, d->value >> 8 & 0xff, d->value & 12), sizeof(struct bc_slot));
		break;
	case RESIZE:
	case RESIZE_ALL:
		resize(&p->image, 1 + d->value % (p->image.n + 2));
		if (d->kind % KINDS == RESIZE_ALL && p->image.n > 1)
			p->image.cells[1].about.cells = p->image.n;
		break;
	case REHASH:
		rehash(p);
	}
}

static inline void damage_image(struct patient *p, const uint8_t *data, size_t size)
{
	const struct bc_header h = p->image.cells[0].header;
	const uint32_t places[PLACES] = {
		[ABOUT] = 1,	     [INDEX] = BC_INDEX, [SEGMENTS] = h.segments,
		[LISTS] = h.lists,   [RULES] = h.rules,	 [SCOPES] = h.scopes,
		[LABELS] = h.labels, [CHILD] = BC_INDEX, [NAMES] = p->image.cells[1].about.names
	};
	struct damage d;

	memcpy(p->places, places, sizeof(places));
	for (; size >= sizeof(d); data += sizeof(d), size -= sizeof(d)) {
		memcpy(&d, data, sizeof(d));
		do_damage(p, &d);
	}
}

#endif
