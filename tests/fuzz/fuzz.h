/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the harnesses share: policies from bytes, binds to ask about, chance, and how one says that it found a fault. */
#ifndef BINDCTL_FUZZ_H
#define BINDCTL_FUZZ_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pure/compile.h"
#include "pure/decide.h"
#include "pure/moment.h"
#include "pure/parse.h"
#include "pure/resolve.h"
#include "pure/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* What must hold whatever the input was. */
#define require(condition)                                                                             \
	do {                                                                                           \
		if (!(condition)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                       \
		}                                                                                      \
	} while (0)

/* When the binds happen: 2026-11-24T10:00:00Z. The policy was written ten minutes before, so `until +10m` is now. */
#define FUZZ_NOW (INT64_C(1795514400) * BC_SECOND)
#define FUZZ_BASE (FUZZ_NOW - 600 * BC_SECOND)

/* Every name is somebody's, and two names rarely the same one's: a name changed on the way is seen in the digest. */
static inline int fuzz_account(void *ctx, const char *name, uint32_t *ret_id)
{
	(void)ctx;
	*ret_id = bc_fnv(BC_FNV_START, name, strlen(name)) % BC_UNRESOLVED;
	return 0;
}

/* Of a rule about a user the units whose names begin with 'u' are that user's own. */
static inline int fuzz_unit(void *ctx, const char *name, uint32_t uid, char **ret_path, bool *ret_known)
{
	bool own = uid != BC_UNRESOLVED && *name == 'u';
	char path[BC_UNIT_PATH_MAX], other[64];
	int r = bc_unit_path(name, NULL, own, uid, path, sizeof(path));

	(void)ctx;
	require(!r || r == -ENAMETOOLONG);
	snprintf(other, sizeof(other), "h%016llx.service",
		 (unsigned long long)bc_fnv(BC_FNV_START, name, strlen(name)));
	if (r)
		require(!bc_unit_path(other, NULL, false, 0, path, sizeof(path)));
	*ret_path = strdup(path);
	*ret_known = true;
	return *ret_path ? 0 : -ENOMEM;
}

static const struct bc_names fuzz_names = { .user = fuzz_account, .group = fuzz_account, .unit = fuzz_unit };

/* The rules of all lines without a fault, resolved. Returns how many faults there were. */
static inline size_t fuzz_policy(struct bc_policy *policy, const void *text, size_t len)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	int r = bc_parse(policy, "fuzz.conf", text, len, FUZZ_BASE, &report);
	size_t faults = report.errors;

	require(r == (faults ? -EINVAL : 0));
	require(!bc_resolve(policy, &fuzz_names, BC_ERROR, &report));
	require(report.errors == faults);
	return faults;
}

static inline void fuzz_compile(struct bc_cells *image, const struct bc_policy *policy)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	require(!bc_compile(policy, BC_WARNING, image, &report, NULL));
}

/* What the rule means, in words that no two meanings share. */
static inline void fuzz_meaning(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule)
{
	struct bc_rule bare = *rule;

	bare.name = bare.unit = 0;
	bare.path = bc_policy_path(policy, rule) ? rule->path : 0;
	bc_format_rule(text, policy, &bare);
	require(!text->failed);
}

static inline bool fuzz_same(const struct bc_policy *a, const struct bc_rule *left, const struct bc_policy *b,
			     const struct bc_rule *right)
{
	_cleanup_(bc_text_done) struct bc_text one = {}, other = {};

	fuzz_meaning(&one, a, left);
	fuzz_meaning(&other, b, right);
	return one.len == other.len && !memcmp(one.data, other.data, one.len);
}

/* That the rule, written as one line of policy, is read as the same rule. */
static inline void fuzz_read_again(const struct bc_policy *policy, const struct bc_rule *rule)
{
	_cleanup_(bc_policy_done) struct bc_policy back = {};
	_cleanup_(bc_text_done) struct bc_text line = {};

	bc_format_rule(&line, policy, rule);
	/* An IPv6 address may be longer in its usual form than it was written. */
	if (line.len > BC_LINE_MAX)
		return;
	bc_text_add(&line, "\n", 1);
	require(!line.failed);
	require(!fuzz_policy(&back, line.data, line.len));
	require(back.n == 1);
	require(bc_rule_digest(&back, &back.rules[0]) == bc_rule_digest(policy, rule));
	require(fuzz_same(&back, &back.rules[0], policy, rule));
}

/* Chance that follows from the input alone, so that a finding happens again. */
static inline uint64_t fuzz_seed(const void *data, size_t size)
{
	return bc_fnv(BC_FNV_START, data, size) | 1;
}

static inline uint32_t fuzz_below(uint64_t *seed, uint32_t end)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (*seed >> 16) % end;
}

/* A bind, with room for what the question points to. */
struct fuzz_bind {
	struct bc_question asked;
	uint32_t groups[3];
	char cgroup[BC_UNIT_PATH_MAX + BC_PART_SIZE + 1];
};

/* What makes of a number's highest bits its lower ones, undone: the number that `value` was made of. */
static inline uint64_t fuzz_unshift(uint64_t value, unsigned bits)
{
	uint64_t number = value;

	for (unsigned i = 0; i < 64; i += bits)
		number = value ^ number >> bits;
	return number;
}

/* The odd number by which a multiplication by `odd` is undone: each round doubles the bits that are right. */
static inline uint64_t fuzz_inverse(uint64_t odd)
{
	uint64_t inverse = odd;

	for (int i = 0; i < 6; i++)
		inverse *= 2 - odd * inverse;
	return inverse;
}

/* The hash of a name of `len` bytes, as bc_name_hash() makes it of its parts. */
static inline uint32_t fuzz_hash(const char *name, size_t len, uint32_t image_seed)
{
	uint64_t hash = image_seed;

	for (size_t at = 0; at < len; at += BC_PART_SIZE) {
		union bc_part part = {};

		memcpy(&part, name + at, len - at < BC_PART_SIZE ? len - at : BC_PART_SIZE);
		hash = bc_name_hash(hash, &part);
	}
	return bc_name_id(hash);
}

/*
 * Gives a cgroup's name a hash, as whoever has a subtree to himself can: bc_name_hash() backwards. `name` has 32 bytes
 * and keeps all but its last eight. False when those would not be a name's.
 */
static inline bool fuzz_forge(char *name, uint32_t wanted, uint32_t image_seed, uint64_t *seed)
{
	const uint64_t factors[] = { 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u };
	uint64_t hash = image_seed, upper = fuzz_below(seed, UINT32_MAX), word;

	for (size_t i = 0; i < 3; i++) {
		memcpy(&word, name + i * sizeof(word), sizeof(word));
		hash = (hash ^ word) * factors[0];
		hash = (hash ^ hash >> 32) * factors[1];
		hash ^= hash >> 29;
	}
	/* Any of those that have the 32 bits. */
	word = fuzz_unshift(upper << 32 | (upper ^ wanted), 29) * fuzz_inverse(factors[1]);
	word = fuzz_unshift(word, 32) * fuzz_inverse(factors[0]);
	word ^= hash;
	memcpy(name + 3 * sizeof(word), &word, sizeof(word));
	require(fuzz_hash(name, BC_PART_SIZE, image_seed) == wanted);
	return !memchr(name, '/', BC_PART_SIZE) && !memchr(name, '\0', BC_PART_SIZE);
}

/* The rule's cgroup, one above or below it, or one whose name is only nearly the same, or has the same hash. */
static inline void fuzz_cgroup(struct fuzz_bind *bind, const char *path, uint32_t image_seed, uint64_t *seed)
{
	char name[BC_PART_SIZE + 1] = "forgedforgedforgedforged";
	size_t len = strlen(path), at;
	char *cgroup = bind->cgroup;

	bind->asked.cgroup = cgroup;
	memcpy(cgroup, path, len + 1);
	switch (fuzz_below(seed, 8)) {
	case 0: /* above */
		at = fuzz_below(seed, len);
		while (cgroup[at] != '/')
			at--;
		cgroup[at ?: 1] = '\0';
		break;
	case 1: /* another byte */
		at = fuzz_below(seed, len);
		if (cgroup[at] != '/' && cgroup[at] != ('/' ^ 1))
			cgroup[at] ^= 1;
		break;
	case 2: /* a longer name */
		memcpy(cgroup + len, "x", 2);
		break;
	case 3: /* a shorter one */
		if (len > 2 && cgroup[len - 2] != '/')
			cgroup[len - 1] = '\0';
		break;
	case 4: /* below */
		strcpy(cgroup + len, fuzz_below(seed, 2) ? "/b/a" : "/b");
		break;
	case 5: /* forged */
		at = strrchr(path, '/') + 1 - path;
		if (fuzz_forge(name, fuzz_hash(path + at, len - at, image_seed), image_seed, seed))
			memcpy(cgroup + at, name, sizeof(name));
	}
}

/* A bind that some rule may speak of, or only just not. */
static inline void fuzz_question(struct fuzz_bind *bind, const struct bc_policy *policy, uint32_t image_seed,
				 uint64_t *seed)
{
	struct bc_question *asked = &bind->asked;
	const struct bc_range *range;
	const struct bc_rule *rule;
	const char *path;

	*asked = (struct bc_question){
		.uid = fuzz_below(seed, 4),
		.gid = fuzz_below(seed, 4),
		.v6only = fuzz_below(seed, 2),
		.host_netns = fuzz_below(seed, 4),
		.proto = fuzz_below(seed, 8) ? 1 + fuzz_below(seed, 2) : 0,
		.port = fuzz_below(seed, UINT16_MAX + 1),
		.groups = bind->groups,
		.ngroups = fuzz_below(seed, ARRAY_SIZE(bind->groups) + 1),
		.now = FUZZ_NOW,
	};
	if (!policy->n)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(bind->groups); i++)
		bind->groups[i] = policy->rules[fuzz_below(seed, policy->n)].id;
	rule = &policy->rules[fuzz_below(seed, policy->n)];
	path = bc_policy_path(policy, &policy->rules[fuzz_below(seed, policy->n)]);
	if (bc_policy_path(policy, rule) && fuzz_below(seed, 4))
		path = bc_policy_path(policy, rule);
	if (path)
		fuzz_cgroup(bind, path, image_seed, seed);
	range = &policy->ranges[rule->ranges + fuzz_below(seed, rule->nranges)];
	if (fuzz_below(seed, 4))
		*(rule->kind == BC_GROUP ? &asked->gid : &asked->uid) = rule->id;
	if (fuzz_below(seed, 8))
		asked->port = (fuzz_below(seed, 2) ? range->first : range->last) + fuzz_below(seed, 3) - 1;
	if (rule->clauses & BC_CLAUSE_UNTIL && rule->until && fuzz_below(seed, 2))
		asked->now = rule->until - fuzz_below(seed, 2);
	asked->v4 = rule->clauses & BC_CLAUSE_ADDR ? rule->v4 : fuzz_below(seed, 2);
	if (asked->v4)
		asked->addr[2] = 0xffff;
	if (rule->clauses & BC_CLAUSE_ADDR && fuzz_below(seed, 4)) {
		memcpy(asked->addr, rule->addr, sizeof(asked->addr));
		asked->addr[3] ^= fuzz_below(seed, 2) << fuzz_below(seed, 32);
	}
}

#endif
