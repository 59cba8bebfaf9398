// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/decompile.h"

static int broken(struct bc_error *reterr, const char *what)
{
	return bc_fail(reterr, -EBADMSG, "the image is broken: %s", what);
}

/* Sections lie one behind the other and end with the image. */
static int check_sections(const struct bc_cells *image, struct bc_error *reterr)
{
	const struct bc_header *h = &image->cells[0].header;
	const char *names, *end;
	uint32_t nul = 0;

	if (h->index != 1 + BC_PORT_CELLS || !h->buckets || h->buckets > image->n || h->cells != image->n)
		return broken(reterr, "index out of bounds");
	if (h->segments != h->index + h->buckets || h->lists < h->segments || h->rules < h->lists ||
	    h->names < h->rules || h->names > h->cells)
		return broken(reterr, "sections out of order");
	if (h->nrules > BC_RULES_MAX || h->names - h->rules != h->nrules)
		return broken(reterr, "rules out of bounds");
	names = (const char *)(image->cells + h->names);
	end = (const char *)(image->cells + h->cells);
	while (names < end)
		nul += !*names++;
	if (h->nsources > nul)
		return broken(reterr, "file names out of bounds");
	return 0;
}

static int check_rules(const struct bc_cells *image, struct bc_error *reterr)
{
	const struct bc_header *h = &image->cells[0].header;

	for (uint32_t i = 0; i < h->nrules; i++) {
		const struct bc_rule_cell *rule = &image->cells[h->rules + i].rule;

		if (rule->verdict != BC_DENY && rule->verdict != BC_ALLOW && rule->verdict != BC_GRANT)
			return broken(reterr, "a rule without a verdict");
		if (rule->source >= h->nsources || rule->prefix > 128 ||
		    (rule->conditions & BC_IF_V4 && (rule->prefix < 96 || rule->conditions & BC_IF_V6)))
			return broken(reterr, "a rule out of bounds");
		if (rule->verdict == BC_DENY && !bc_errno_name(rule->err))
			return broken(reterr, "a deny without an errno");
		if (rule->conditions & BC_IF_PROTO && rule->proto != BC_TCP && rule->proto != BC_UDP)
			return broken(reterr, "a rule of no protocol");
	}
	return 0;
}

/* One range of one rule, as found in a segment. */
struct piece {
	uint32_t rule;
	uint16_t first;
	uint16_t last;
	bool start;
};

struct pieces {
	struct piece *items;
	size_t n, room;
};

static int add_piece(struct pieces *pieces, const struct bc_header *h, struct bc_policy *policy, uint32_t ref,
		     const struct bc_slot *slot, unsigned first, unsigned last)
{
	uint32_t number = ref & BC_REF_NUMBER, kind = slot->key & 3;
	struct bc_rule *rule;

	if (number >= h->nrules || first > last || (kind != BC_USER && kind != BC_ANYONE) ||
	    slot->key >> 2 != BC_SCOPE_ROOT)
		return -EBADMSG;
	if (bc_grow(&pieces->items, &pieces->room, pieces->n + 1))
		return -ENOMEM;
	pieces->items[pieces->n++] = (struct piece){ number, first, last, ref & BC_REF_START };
	rule = &policy->rules[number];
	rule->kind = kind;
	rule->id = slot->id;
	rule->scope = slot->key >> 2;
	return 0;
}

/* What the reference of one segment names: a rule, or a list of them. */
static int add_pieces(struct pieces *pieces, const struct bc_cells *image, struct bc_policy *policy, uint32_t ref,
		      const struct bc_slot *slot, unsigned first, unsigned last)
{
	const struct bc_header *h = &image->cells[0].header;
	uint32_t entries = (h->rules - h->lists) * BC_REFS;

	if (ref & BC_REF_RUN)
		return -EBADMSG;
	if (!(ref & BC_REF_LIST))
		return add_piece(pieces, h, policy, ref, slot, first, last);
	for (uint32_t i = ref & BC_REF_NUMBER; i < entries; i++) {
		uint32_t listed = image->cells[h->lists + i / BC_REFS].refs[i % BC_REFS];
		int r = listed & (BC_REF_RUN | BC_REF_LIST) ? -EBADMSG :
							      add_piece(pieces, h, policy, listed, slot, first, last);

		if (r || listed & BC_REF_LAST)
			return r;
	}
	return -EBADMSG;
}

static int add_slot(struct pieces *pieces, const struct bc_cells *image, struct bc_policy *policy,
		    const struct bc_slot *slot)
{
	const struct bc_header *h = &image->cells[0].header;
	uint32_t nsegments = (h->lists - h->segments) * BC_SEGMENTS, first = slot->ref & BC_REF_NUMBER;
	int after = -1;

	if (!(slot->ref & BC_REF_RUN))
		return add_pieces(pieces, image, policy, slot->ref, slot, slot->ports & 0xffff, slot->ports >> 16);
	if (slot->ports < 1 || slot->ports > 65536 || first >= nsegments || slot->ports > nsegments - first)
		return -EBADMSG;
	for (uint32_t i = first; i < first + slot->ports; i++) {
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
static int join_pieces(struct bc_policy *policy, struct pieces *pieces)
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

		if (last && piece->first <= last->last)
			return -EBADMSG;
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
		if (!policy->rules[i].nranges)
			return -EBADMSG;
	return 0;
}

static void read_rule(const struct bc_rule_cell *cell, struct bc_rule *rule)
{
	*rule = (struct bc_rule){
		.verb = cell->verdict == BC_GRANT ? BC_VERB_GRANT :
			cell->verdict == BC_ALLOW ? BC_VERB_ALLOW :
						    BC_VERB_DENY,
		.proto = BC_TCP | BC_UDP,
		.any_netns = !(cell->conditions & BC_IF_HOST),
		.err = cell->verdict == BC_DENY ? cell->err : EACCES,
		.clauses = BC_CLAUSE_PORT,
		.source = cell->source,
		.line = cell->line,
	};
	if (cell->conditions & BC_IF_PROTO) {
		rule->clauses |= BC_CLAUSE_PROTO;
		rule->proto = cell->proto;
	}
	if (cell->conditions & (BC_IF_V4 | BC_IF_V6)) {
		rule->clauses |= BC_CLAUSE_ADDR;
		rule->v4 = cell->conditions & BC_IF_V4;
		rule->prefix = cell->prefix;
		memcpy(rule->addr, cell->addr, sizeof(rule->addr));
	}
}

static int read_sources(const struct bc_cells *image, struct bc_policy *policy)
{
	const struct bc_header *h = &image->cells[0].header;
	const char *name = (const char *)(image->cells + h->names);

	for (uint32_t i = 0; i < h->nsources; i++, name += strlen(name) + 1) {
		uint32_t number;
		int r = bc_policy_source(policy, name, &number);

		if (r)
			return r;
		if (number != i)
			return -EBADMSG;
	}
	return 0;
}

/* Walks every subject's slot; `policy` has room for every rule and takes ranges and subjects. */
static int read_index(const struct bc_cells *image, struct bc_policy *policy)
{
	const struct bc_header *h = &image->cells[0].header;
	struct pieces pieces = {};
	int r = 0;

	for (uint32_t i = 0; !r && i < h->buckets * BC_SLOTS; i++) {
		const struct bc_slot *slot = &image->cells[h->index + i / BC_SLOTS].slots[i % BC_SLOTS];

		if (slot->key)
			r = add_slot(&pieces, image, policy, slot);
	}
	if (!r)
		r = join_pieces(policy, &pieces);
	free(pieces.items);
	return r;
}

int bc_image_check(const struct bc_cells *image, struct bc_error *reterr)
{
	const struct bc_header *h;

	if (!image->n)
		return broken(reterr, "it is empty");
	h = &image->cells[0].header;
	if (h->magic != BC_MAGIC)
		return broken(reterr, "it does not begin as an image does");
	if (h->schema != BC_SCHEMA)
		return bc_fail(reterr, -EBADMSG, "the image has schema %u; this bindctl reads %u", h->schema,
			       BC_SCHEMA);
	if (h->features & ~BC_F_KNOWN)
		return bc_fail(reterr, -EBADMSG, "the image has features that this bindctl does not know");
	return check_sections(image, reterr) ?: check_rules(image, reterr);
}

int bc_decompile(const struct bc_cells *image, struct bc_policy *policy, struct bc_error *reterr)
{
	const struct bc_header *h;
	int r = bc_image_check(image, reterr);

	if (r)
		return r;
	h = &image->cells[0].header;
	if (bc_grow(&policy->rules, &policy->room, h->nrules))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	policy->n = h->nrules;
	for (uint32_t i = 0; i < h->nrules; i++)
		read_rule(&image->cells[h->rules + i].rule, &policy->rules[i]);
	r = read_sources(image, policy);
	if (!r)
		r = read_index(image, policy);
	if (r == -EBADMSG)
		return broken(reterr, "its index does not fit its rules");
	if (!r && bc_policy_digest(policy) != h->digest)
		return broken(reterr, "its digest is not that of its rules");
	return r ? bc_fail_errno(reterr, r, "cannot read the image") : 0;
}
