// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/decompile.h"
#include "pure/inspect.h"
#include "pure/parse.h"

/* One range of one rule, as found in a segment. */
struct piece {
	uint32_t rule;
	uint16_t first;
	uint16_t last;
	const struct bc_slot *slot;
	bool start;
};

struct pieces {
	struct piece *items;
	size_t n, room;
	uint32_t *owed; /* of each rule: ports that it reserves, and are not denied to others */
	size_t left; /* every segment and every reference is used once; else a small image could ask for all memory */
};

/* What a reference says of its rule must be what the rule's cell says. */
static bool is_sound_reference(uint32_t ref, const struct bc_rule_cell *cell)
{
	if (!(ref & BC_REF_PLAIN))
		return !(ref & BC_REF_HOST);
	return !(ref & BC_REF_OTHERS) && cell->verdict == BC_GRANT && !(cell->flags & BC_RULE_LOG) &&
	       cell->conditions == (ref & BC_REF_HOST ? BC_IF_HOST : 0);
}

static uint32_t group_of(const struct bc_cells *image, const struct bc_rule_cell *cell)
{
	return bc_has_details(cell) ? bc_detail_at(image, cell->more)->gid : cell->more;
}

static int add_piece(struct pieces *pieces, const struct bc_cells *image, struct bc_policy *policy, uint32_t ref,
		     const struct bc_slot *slot, unsigned first, unsigned last)
{
	const struct bc_about *about = &image->cells[1].about;
	uint32_t number = ref & BC_REF_RULE, kind = slot->key & 3;
	const struct bc_rule_cell *cell;
	struct bc_rule *rule;

	if (number >= about->nrules || first > last || !pieces->left--)
		return -EBADMSG;
	cell = bc_rule_at(image, number);
	if (!is_sound_reference(ref, cell))
		return -EBADMSG;
	/* What a reserve is to others follows from what it is to its subject. */
	if (ref & BC_REF_OTHERS) {
		pieces->owed[number] -= last - first + 1;
		return cell->flags & BC_RULE_RESERVE && slot->key == bc_key(BC_SCOPE_ROOT, BC_ANYONE) ? 0 : -EBADMSG;
	}
	if (cell->flags & BC_RULE_RESERVE && slot->key != bc_key(BC_SCOPE_ROOT, BC_ANYONE))
		pieces->owed[number] += last - first + 1;
	if (kind == BC_GROUP ? !(cell->conditions & BC_IF_GROUP) : cell->conditions & BC_IF_GROUP)
		return -EBADMSG;
	if (bc_grow(&pieces->items, &pieces->room, pieces->n + 1))
		return -ENOMEM;
	pieces->items[pieces->n++] = (struct piece){ number, first, last, slot, ref & BC_REF_START };
	rule = &policy->rules[number];
	rule->kind = kind;
	rule->id = kind == BC_GROUP ? group_of(image, cell) : slot->id;
	return 0;
}

/* What the reference of one segment names: a rule, or a list of them. */
static int add_pieces(struct pieces *pieces, const struct bc_cells *image, struct bc_policy *policy, uint32_t ref,
		      const struct bc_slot *slot, unsigned first, unsigned last)
{
	const struct bc_header *h = &image->cells[0].header;
	size_t entries = (size_t)(h->rules - h->lists) * BC_REFS;

	if (ref & BC_REF_RUN)
		return -EBADMSG;
	if (!(ref & BC_REF_LIST))
		return add_piece(pieces, image, policy, ref, slot, first, last);
	for (size_t i = ref & BC_REF_NUMBER; i < entries; i++) {
		uint32_t listed = image->cells[h->lists + i / BC_REFS].refs[i % BC_REFS];
		int r = listed & (BC_REF_RUN | BC_REF_LIST) ?
				-EBADMSG :
				add_piece(pieces, image, policy, listed, slot, first, last);

		if (r || listed & BC_REF_LAST)
			return r;
	}
	return -EBADMSG;
}

static int add_slot(struct pieces *pieces, const struct bc_cells *image, struct bc_policy *policy,
		    const struct bc_slot *slot)
{
	const struct bc_header *h = &image->cells[0].header;
	size_t nsegments = (size_t)(h->lists - h->segments) * BC_SEGMENTS, first = slot->ref & BC_REF_NUMBER;
	int after = -1;

	if (!(slot->ref & BC_REF_RUN))
		return add_pieces(pieces, image, policy, slot->ref, slot, slot->ports & 0xffff, slot->ports >> 16);
	if (slot->ports < 1 || slot->ports > 65536 || first >= nsegments || slot->ports > nsegments - first)
		return -EBADMSG;
	for (size_t i = first; i < first + slot->ports; i++) {
		const struct bc_segment *s = &image->cells[h->segments + i / BC_SEGMENTS].segments[i % BC_SEGMENTS];
		int r;

		if (s->first <= after || s->last < s->first)
			return -EBADMSG;
		after = s->last;
		r = add_pieces(pieces, image, policy, s->ref, slot, s->first, s->last);
		if (r)
			return r;
	}
	return 0;
}

static int compare_pieces(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;

	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return (int)a->first - (int)b->first;
}

/* Puts the ranges together again that other rules' borders had cut. */
static int join_pieces(struct bc_policy *policy, struct pieces *pieces, uint32_t *scopes)
{
	if (!pieces->n)
		return policy->n ? -EBADMSG : 0;
	qsort(pieces->items, pieces->n, sizeof(*pieces->items), compare_pieces);
	if (bc_grow(&policy->ranges, &policy->ranges_room, pieces->n))
		return -ENOMEM;
	for (size_t i = 0; i < pieces->n; i++) {
		const struct piece *piece = &pieces->items[i];
		struct bc_rule *rule = &policy->rules[piece->rule];
		struct bc_range *last = rule->nranges ? &policy->ranges[policy->nranges - 1] : NULL;

		/* A rule speaks of one subject in one scope. */
		if (last && (piece->first <= last->last || piece[-1].slot != piece->slot))
			return -EBADMSG;
		scopes[piece->rule] = piece->slot->key >> 2;
		if (last && !piece->start && piece->first == last->last + 1) {
			last->last = piece->last;
			continue;
		}
		if (!rule->nranges)
			rule->ranges = policy->nranges;
		rule->nranges++;
		policy->ranges[policy->nranges++] = (struct bc_range){ piece->first, piece->last };
	}
	for (size_t i = 0; i < policy->n; i++)
		if (!policy->rules[i].nranges || pieces->owed[i])
			return -EBADMSG;
	return 0;
}

static enum bc_verb verb_of(const struct bc_rule_cell *cell)
{
	if (cell->flags & BC_RULE_RESERVE)
		return BC_VERB_RESERVE;
	return cell->verdict == BC_GRANT   ? BC_VERB_GRANT :
	       cell->verdict == BC_ALLOW   ? BC_VERB_ALLOW :
	       cell->verdict == BC_REWRITE ? BC_VERB_REWRITE :
					     BC_VERB_DENY;
}

static void read_to(const struct bc_cells *image, const struct bc_rule_cell *cell, struct bc_rule *rule)
{
	rule->clauses |= BC_CLAUSE_TO | (cell->flags & BC_RULE_HIDDEN ? BC_CLAUSE_HIDDEN : 0);
	rule->to_port = cell->flags & BC_RULE_TO_PORT ? bc_detail_at(image, cell->more)->to_port : 0;
	rule->to_addr = cell->flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6);
	rule->to_v4 = cell->flags & BC_RULE_TO_V4;
	if (rule->to_addr)
		memcpy(rule->to, bc_detail_at(image, cell->more + 1)->addr, sizeof(rule->to));
}

static void read_rule(const struct bc_cells *image, const struct bc_rule_cell *cell, struct bc_rule *rule)
{
	*rule = (struct bc_rule){
		.verb = verb_of(cell),
		.proto = BC_TCP | BC_UDP,
		.any_netns = !(cell->conditions & BC_IF_HOST),
		.err = EACCES,
		.clauses = BC_CLAUSE_PORT,
		.source = cell->source,
		.line = cell->line,
	};
	if (bc_rule_denies(rule))
		rule->err = cell->err;
	if (cell->conditions & BC_IF_PROTO) {
		rule->clauses |= BC_CLAUSE_PROTO;
		rule->proto = cell->proto;
	}
	if (cell->conditions & (BC_IF_V4 | BC_IF_V6)) {
		rule->clauses |= BC_CLAUSE_ADDR;
		rule->v4 = cell->conditions & BC_IF_V4;
		rule->prefix = bc_detail_at(image, cell->more)->prefix;
		memcpy(rule->addr, bc_detail_at(image, cell->more)->addr, sizeof(rule->addr));
	}
	if (cell->conditions & BC_IF_UNTIL) {
		rule->clauses |= BC_CLAUSE_UNTIL;
		rule->until = bc_detail_at(image, cell->more)->until;
	}
	if (cell->verdict == BC_REWRITE)
		read_to(image, cell, rule);
	rule->clauses |= cell->flags & BC_RULE_LOG ? BC_CLAUSE_LOG : 0;
	rule->clauses |= cell->flags & BC_RULE_AUDIT ? BC_CLAUSE_AUDIT : 0;
}

/*
 * The path of a scope that has rules, as an offset into policy->strings, from `paths` if it is there. Only those are
 * made: together, the paths of all cgroups above them could be a thousand times as long. 0 or -errno.
 */
static int read_path(const struct bc_cells *image, struct bc_policy *policy, uint32_t scope, uint32_t *paths)
{
	char path[BC_LINE_MAX], name[BC_SCOPE_NAME];
	size_t at = sizeof(path);

	if (scope == BC_SCOPE_ROOT || paths[scope])
		return 0;
	for (uint32_t i = scope; i > BC_SCOPE_ROOT; i = bc_scope_at(image, i)->parent) {
		size_t len;

		bc_scope_name(image, i, name);
		len = strlen(name);
		if (len + 1 > at)
			return -EBADMSG;
		at -= len;
		memcpy(path + at, name, len);
		path[--at] = '/';
	}
	paths[scope] = bc_policy_string(policy, path + at, sizeof(path) - at);
	return paths[scope] ? 0 : -ENOMEM;
}

/* Gives the rules their cgroups; `scopes` are the rules' scopes. */
static int place_rules(const struct bc_cells *image, struct bc_policy *policy, const uint32_t *scopes)
{
	_cleanup_free_ uint32_t *paths = calloc(image->cells[1].about.nscopes + 1, sizeof(*paths));
	int r;

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n; i++) {
		struct bc_rule *rule = &policy->rules[i];
		uint16_t flags = bc_rule_at(image, i)->flags;
		char name[BC_SCOPE_NAME] = "-.slice";

		r = read_path(image, policy, scopes[i], paths);
		if (r)
			return r;
		rule->path = paths[scopes[i]];
		if (rule->path)
			bc_scope_name(image, scopes[i], name);
		if (flags & BC_RULE_UNIT) {
			/* systemd puts a '_' before names that mean something else to the kernel. */
			rule->unit = bc_policy_string(policy, name + (*name == '_'), strlen(name + (*name == '_')));
			if (!rule->unit)
				return -ENOMEM;
		}
		/* To be read again, a reserve must have a subject. */
		if (rule->verb == BC_VERB_RESERVE && rule->kind == BC_ANYONE && !rule->path && !rule->unit) {
			rule->path = bc_policy_string(policy, "/", 1);
			if (!rule->path)
				return -ENOMEM;
		}
		if (rule->path)
			rule->clauses |= flags & BC_RULE_UNIT ? BC_CLAUSE_UNIT : BC_CLAUSE_CGROUP;
	}
	return 0;
}

static int read_sources(const struct bc_cells *image, struct bc_policy *policy)
{
	const struct bc_about *about = &image->cells[1].about;
	const char *name = (const char *)(image->cells + about->names);

	for (uint32_t i = 0; i < about->nsources; i++, name += strlen(name) + 1) {
		uint32_t number;
		int r = bc_policy_source(policy, name, &number);

		if (r)
			return r;
		if (number != i)
			return -EBADMSG;
	}
	return 0;
}

/* Whether the bucket has another slot of the same subject. */
static bool has_another(const union bc_cell *bucket, const struct bc_slot *slot)
{
	for (unsigned k = 0; k < BC_SLOTS; k++) {
		const struct bc_slot *other = &bucket->slots[k];

		if (other != slot && other->key == slot->key && other->id == slot->id)
			return true;
	}
	return false;
}

/* Whether a search for the slot in that bucket comes to it, and to no other of the same subject before. */
static bool is_reachable(const struct bc_cells *image, const struct bc_slot *slot, uint32_t bucket)
{
	const struct bc_header *h = &image->cells[0].header;
	uint32_t hash = bc_hash(slot->key, slot->id, h->seed);
	const union bc_cell *first = &image->cells[BC_INDEX + bc_bucket(hash, h->buckets)];
	const union bc_cell *own = &image->cells[BC_INDEX + bucket];

	if (has_another(first, slot))
		return false;
	if (first == own)
		return true;
	return first->slots[BC_SLOTS - 1].key && bc_bucket(bc_rehash(hash), h->buckets) == bucket &&
	       !has_another(own, slot);
}

/* The slot of a cgroup leads from its parent to it, by the hash of its name. */
static int check_child(const struct bc_cells *image, const struct bc_slot *slot)
{
	const struct bc_header *h = &image->cells[0].header;
	uint64_t hash = h->seed;
	uint32_t label;

	if (slot->ref <= BC_SCOPE_ROOT || slot->ref > image->cells[1].about.nscopes)
		return -EBADMSG;
	label = bc_scope_at(image, slot->ref)->label;
	for (uint32_t i = 0; i < (label & 0xff); i++)
		hash = bc_name_hash(hash, bc_label_at(image, (label >> 8) + i));
	return bc_scope_at(image, slot->ref)->parent == slot->key >> 2 && bc_name_id(hash) == slot->id ? 0 : -EBADMSG;
}

static int read_slot(struct pieces *pieces, const struct bc_cells *image, struct bc_policy *policy, uint32_t bucket,
		     const struct bc_slot *slot, uint32_t *children)
{
	uint32_t scope = slot->key >> 2;

	if (!slot->key)
		return 0;
	if (!scope || scope > image->cells[1].about.nscopes || !is_reachable(image, slot, bucket))
		return -EBADMSG;
	if ((slot->key & 3) > BC_USER && slot->id)
		return -EBADMSG;
	if ((slot->key & 3) != BC_CHILD)
		return bc_scope_at(image, scope)->first == scope ? add_slot(pieces, image, policy, slot) : -EBADMSG;
	++*children;
	return check_child(image, slot);
}

/* Walks every slot; `policy` has room for every rule and takes ranges, subjects and cgroups. */
static int read_index(const struct bc_cells *image, struct bc_policy *policy)
{
	const struct bc_header *h = &image->cells[0].header;
	_cleanup_free_ uint32_t *scopes = calloc(policy->n + 1, sizeof(*scopes));
	struct pieces pieces = {
		.owed = calloc(policy->n + 1, sizeof(*pieces.owed)),
		.left = (size_t)(h->lists - h->segments) * BC_SEGMENTS + (size_t)(h->rules - h->lists) * BC_REFS,
	};
	uint32_t children = 0;
	int r = scopes && pieces.owed ? 0 : -ENOMEM;

	for (uint32_t i = 0; !r && i < h->buckets; i++)
		for (unsigned k = 0; !r && k < BC_SLOTS; k++)
			r = read_slot(&pieces, image, policy, i, &image->cells[BC_INDEX + i].slots[k], &children);
	if (!r && children != image->cells[1].about.nscopes - 1)
		r = -EBADMSG;
	if (!r)
		r = join_pieces(policy, &pieces, scopes);
	if (!r)
		r = place_rules(image, policy, scopes);
	free(pieces.items);
	free(pieces.owed);
	return r;
}

int bc_decompile(const struct bc_cells *image, struct bc_policy *policy, struct bc_error *reterr)
{
	const struct bc_header *h;
	const struct bc_about *about;
	int r = bc_image_check(image, reterr);

	if (r)
		return r;
	h = &image->cells[0].header;
	about = &image->cells[1].about;
	if (bc_grow(&policy->rules, &policy->room, about->nrules))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	policy->n = about->nrules;
	for (uint32_t i = 0; i < about->nrules; i++)
		read_rule(image, bc_rule_at(image, i), &policy->rules[i]);
	r = read_sources(image, policy);
	if (!r)
		r = read_index(image, policy);
	if (r == -EBADMSG)
		return bc_image_broken(reterr, "its index does not fit its rules");
	if (!r && bc_policy_digest(policy) != about->digest)
		return bc_image_broken(reterr, "its digest is not that of its rules");
	/* What the header does not name the programs do not ask for. */
	if (!r && bc_policy_features(policy) != h->features)
		return bc_image_broken(reterr, "its features are not those of its rules");
	return r ? bc_fail_errno(reterr, r, "cannot read the compiled policy") : 0;
}
