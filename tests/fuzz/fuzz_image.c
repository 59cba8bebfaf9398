// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images that are none. An input that begins as an image does is taken for one. Any other is a policy, and behind a
 * line "%" the damage that is done to its image, so that inputs stay small, and mean something to later schemas too.
 * Whatever an image says, nothing may be read outside of it, and what was taken must be a policy that is safe to print.
 */
#include "damage.h"
#include "fuzz.h"
#include "pure/clause.h"
#include "pure/decompile.h"
#include "pure/inspect.h"

/*
 * Decompiles; should only the digest, or the features, tell that the image is damaged, they are made to fit, as whoever
 * damages one can.
 */
static int decompile(const struct bc_cells *image, struct bc_policy *policy)
{
	struct bc_error error = {};
	int r = bc_decompile(image, policy, &error);

	if (r && strstr(error.text, "digest")) {
		image->cells[1].about.digest = bc_policy_digest(policy);
		bc_policy_done(policy);
		r = bc_decompile(image, policy, &error);
	}
	if (r && strstr(error.text, "its features are not")) {
		image->cells[0].header.features = bc_policy_features(policy);
		bc_policy_done(policy);
		r = bc_decompile(image, policy, &error);
		require(!r);
	}
	require(!r || (r == -EBADMSG && *error.text));
	return r;
}

/* A cgroup's path that some text could have named. */
static bool is_sound_path(const char *path)
{
	char text[256];

	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return !bc_check_path(path, strlen(path), text, sizeof(text));
}

/* A cgroup's slot has the hash of its name. */
static void look_at_child(const struct bc_cells *image, const struct bc_slot *slot)
{
	char name[BC_SCOPE_NAME];

	bc_scope_name(image, slot->ref, name);
	require(slot->id == fuzz_hash(name, strlen(name), image->cells[0].header.seed));
	require(slot->key == bc_key(bc_scope_at(image, slot->ref)->parent, BC_CHILD));
}

/* A search for each slot comes to it. */
static void search_slots(const struct bc_cells *image)
{
	const struct bc_header *h = &image->cells[0].header;

	for (uint32_t i = 0; i < h->buckets * BC_SLOTS; i++) {
		const struct bc_slot *slot = &image->cells[BC_INDEX + i / BC_SLOTS].slots[i % BC_SLOTS], *found = NULL;
		uint32_t hash = bc_hash(slot->key, slot->id, h->seed);

		for (unsigned probe = 0; slot->key && !found && probe < 2; probe++, hash = bc_rehash(hash)) {
			const struct bc_slot *bucket = image->cells[BC_INDEX + bc_bucket(hash, h->buckets)].slots;

			for (unsigned k = 0; k < BC_SLOTS && !found; k++)
				if (bucket[k].key == slot->key && bucket[k].id == slot->id)
					found = &bucket[k];
			if (!bucket[BC_SLOTS - 1].key)
				break;
		}
		require(!slot->key || found == slot);
		if (is_child(slot))
			look_at_child(image, slot);
	}
}

/*
 * The slots of users, groups and everyone, whatever their order and the scopes' numbers. A second one of the same is
 * never come to.
 */
static uint64_t sum_subjects(const struct bc_cells *image)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < image->cells[0].header.buckets * BC_SLOTS; i++) {
		const struct bc_slot *slot = &image->cells[BC_INDEX + i / BC_SLOTS].slots[i % BC_SLOTS];
		uint32_t words[] = { slot->key & 3, slot->key >> 2 == BC_SCOPE_ROOT, slot->id };

		sum += slot->key && !is_child(slot) ? bc_fnv(BC_FNV_START, words, sizeof(words)) : 0;
	}
	return sum;
}

/* Nor is a second cgroup of one name and parent. */
static void compare_scopes(const struct bc_cells *image)
{
	uint32_t n = image->cells[1].about.nscopes < 64 ? image->cells[1].about.nscopes : 64;
	char name[BC_SCOPE_NAME], other[BC_SCOPE_NAME];

	for (uint32_t i = BC_SCOPE_ROOT + 1; i <= n; i++) {
		bc_scope_name(image, i, name);
		for (uint32_t k = BC_SCOPE_ROOT + 1; k < i; k++) {
			bc_scope_name(image, k, other);
			require(bc_scope_at(image, i)->parent != bc_scope_at(image, k)->parent || strcmp(name, other));
		}
	}
}

/* What was taken is a policy as good as one that was read, and the programs come to each of its scopes. */
static void look_at_taken(const struct bc_cells *image, const struct bc_policy *policy)
{
	_cleanup_(bc_policy_done) struct bc_policy back = {};
	_cleanup_(bc_cells_done) struct bc_cells again = {};

	for (size_t i = 0; i < policy->n; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		const struct bc_rule *rule = &policy->rules[i];
		const char *path = bc_policy_path(policy, rule);

		bc_format_rule(&text, policy, rule);
		require(rule->source < policy->nsources);
		bc_text_addf(&text, "%s", bc_policy_source_of(policy, rule));
		require(!text.failed && (!bc_rule_denies(rule) || bc_errno_name(rule->err)));
		require(!path || is_sound_path(path));
		require(rule->nranges && (rule->verb != BC_VERB_REWRITE || rule->to_addr || rule->to_port));
	}
	fuzz_compile(&again, policy);
	require(sum_subjects(&again) == sum_subjects(image));
	search_slots(image);
	compare_scopes(image);
	require(again.cells[1].about.nscopes <= image->cells[1].about.nscopes);
	require(again.cells[1].about.digest == image->cells[1].about.digest);
	require(again.cells[0].header.features == image->cells[0].header.features);
	require(!bc_decompile(&again, &back, NULL));
	for (uint32_t i = BC_SCOPE_ROOT + 1; i <= image->cells[1].about.nscopes; i++)
		require(bc_scope_at(image, i)->parent < i && bc_scope_at(image, i)->up < i);
}

/* An image that was taken is not when its digest or its features are others. */
static void betray(const struct bc_cells *image)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, other = {};

	image->cells[1].about.digest ^= 1;
	require(bc_decompile(image, &policy, NULL) == -EBADMSG);
	image->cells[1].about.digest ^= 1;
	image->cells[0].header.features ^= BC_F_SCOPE;
	require(bc_decompile(image, &other, NULL) == -EBADMSG);
	image->cells[0].header.features ^= BC_F_SCOPE;
}

static void read_image(const struct bc_cells *image, const struct bc_policy *asked, uint64_t seed)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	int checked = bc_image_check(image, NULL), r = decompile(image, &policy);
	struct fuzz_bind bind;

	require(checked == -EBADMSG || !checked);
	require(!checked || r);
	if (!r) {
		look_at_taken(image, &policy);
		betray(image);
	}
	for (int i = 0; i < 16; i++) {
		struct bc_answer answer = {};

		fuzz_question(&bind, asked, 0, &seed);
		r = bc_decide_image(image, &bind.asked, &answer);
		require(!r || r == -EBADMSG);
		bc_answer_done(&answer);
	}
}

/* Where the damage begins: behind the mark, or the end. */
static size_t find_damage(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at + 2 <= size; at++)
		if ((!at || data[at - 1] == '\n') && !memcmp(data + at, mark, 2))
			return at + 2;
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct patient p = {};
	uint32_t magic = BC_MAGIC;

	if (size >= sizeof(union bc_cell) && !memcmp(data, &magic, sizeof(magic))) {
		p.image.n = size / sizeof(union bc_cell);
		p.image.cells = malloc(p.image.n * sizeof(union bc_cell));
		require(p.image.cells);
		memcpy(p.image.cells, data, p.image.n * sizeof(union bc_cell));
	} else {
		size_t damage = find_damage(data, size);

		fuzz_policy(&policy, data, damage);
		fuzz_compile(&p.image, &policy);
		damage_image(&p, data + damage, size - damage);
	}
	read_image(&p.image, &policy, fuzz_seed(data, size));
	bc_cells_done(&p.image);
	return 0;
}

static struct damage some_damage(uint64_t *chance)
{
	static const uint32_t values[] = { 0, 1, 2, 3, 7, 64, 128, 0xffff, 0x10000, 0x07ffffff, 0x7fffffff, ~0u };
	struct damage d = { fuzz_below(chance, PLACES), fuzz_below(chance, fuzz_below(chance, 2) ? 3 : 16),
			    fuzz_below(chance, WORDS), fuzz_below(chance, KINDS),
			    values[fuzz_below(chance, ARRAY_SIZE(values))] };

	if (d.kind == SET_BYTE)
		d.value = fuzz_below(chance, 2) ? (unsigned char)"/._\n a"[fuzz_below(chance, 7)] :
						  fuzz_below(chance, 256);
	else if (fuzz_below(chance, 2))
		d.value = fuzz_below(chance, 256) << fuzz_below(chance, 4) * 8;
	if (d.kind == SET_BYTE)
		d.value |= fuzz_below(chance, 4) << 8;
	/* Half of all copies to the very next. */
	if (d.kind == COPY_SLOT && fuzz_below(chance, 2))
		d.value = d.cell << 8 | ((d.word & 12) ^ 4);
	return d;
}

/* Mostly one more piece of damage, or one less or another; else bytes as libFuzzer likes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	uint64_t chance = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	struct damage d = some_damage(&chance);
	size_t damage = find_damage(data, size), pieces = (size - damage) / sizeof(d), at = size;

	if (!fuzz_below(&chance, 3) || size + 3 + sizeof(d) > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	if (damage == size && (size < 2 || memcmp(data + size - 2, mark, 2))) {
		if (size && data[size - 1] != '\n')
			data[at++] = '\n';
		memcpy(data + at, mark, 2);
		at += 2;
	} else if (pieces && fuzz_below(&chance, 2)) {
		memcpy(data + damage + fuzz_below(&chance, pieces) * sizeof(d), &d, sizeof(d));
		return size;
	} else {
		at = damage + pieces * sizeof(d);
		if (pieces && !fuzz_below(&chance, 4))
			return at - sizeof(d);
	}
	memcpy(data + at, &d, sizeof(d));
	return at + sizeof(d);
}
