// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/compile.h"
#include "pure/scope.h"
#include "pure/segment.h"

void bc_cells_done(struct bc_cells *cells)
{
	free(cells->cells);
	*cells = (struct bc_cells){};
}

/* Everything that an image is made of, in the making. */
struct compilation {
	const struct bc_policy *policy;
	struct bc_tree tree;
	uint32_t *scopes; /* of each rule */
	struct bc_entry *entries;
	size_t nentries;
	struct bc_plan plan;
	union bc_cell *index;
	struct bc_header header;
	struct bc_about about;
};

static void compilation_done(struct compilation *c)
{
	bc_tree_done(&c->tree);
	free(c->scopes);
	free(c->entries);
	bc_plan_done(&c->plan);
	free(c->index);
}

/* Gives every rule its scope. */
static int make_scopes(struct compilation *c)
{
	const struct bc_policy *policy = c->policy;
	uint32_t root;
	int r = bc_tree_add(&c->tree, NULL, &root);

	c->scopes = calloc(policy->n + 1, sizeof(*c->scopes));
	if (r || !c->scopes)
		return -ENOMEM;
	/* The root has the rules without a cgroup, and what a reserve means to everyone else. */
	c->tree.nodes[0].ruled = false;
	for (size_t i = 0; !r && i < policy->n; i++) {
		r = bc_tree_add(&c->tree, bc_policy_path(policy, &policy->rules[i]), &c->scopes[i]);
		if (policy->rules[i].verb == BC_VERB_RESERVE)
			c->tree.nodes[0].ruled = true;
	}
	return r;
}

static void add_entries(struct compilation *c, uint32_t key, uint32_t id, uint32_t ref)
{
	const struct bc_rule *rule = &c->policy->rules[ref & BC_REF_RULE];

	for (size_t k = 0; k < rule->nranges; k++) {
		const struct bc_range *range = &c->policy->ranges[rule->ranges + k];

		c->entries[c->nentries++] = (struct bc_entry){ key, id, range->first, range->last, ref };
	}
}

static int make_entries(struct compilation *c)
{
	const uint32_t everyone = bc_key(BC_SCOPE_ROOT, BC_ANYONE);
	const struct bc_policy *policy = c->policy;

	/* A reserve counts twice. */
	c->entries = calloc(2 * policy->nranges + 1, sizeof(*c->entries));
	if (!c->entries)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		uint32_t key = bc_key(c->scopes[i], rule->kind);

		add_entries(c, key, rule->kind == BC_USER ? rule->id : 0, i);
		/* Of a reserve for everyone there is nobody else. */
		if (rule->verb == BC_VERB_RESERVE && key != everyone)
			add_entries(c, everyone, 0, i | BC_REF_OTHERS);
	}
	qsort(c->entries, c->nentries, sizeof(*c->entries), bc_entry_compare);
	return 0;
}

/* The two buckets that a slot may be in, which may be one. */
static void buckets_of(const struct bc_header *header, const struct bc_slot *slot, uint32_t ret[2])
{
	uint32_t hash = bc_hash(slot->key, slot->id, header->seed);

	ret[0] = bc_bucket(hash, header->buckets);
	ret[1] = bc_bucket(bc_rehash(hash), header->buckets);
}

static bool has_slot(const union bc_cell *bucket, const struct bc_slot *slot)
{
	for (unsigned k = 0; k < BC_SLOTS; k++)
		if (bucket->slots[k].key == slot->key && bucket->slots[k].id == slot->id)
			return true;
	return false;
}

static bool put_slot(union bc_cell *bucket, const struct bc_slot *slot)
{
	for (unsigned k = 0; k < BC_SLOTS; k++)
		if (!bucket->slots[k].key) {
			bucket->slots[k] = *slot;
			return true;
		}
	return false;
}

/* How many others may have to move for one slot before another seed is tried. At the index's load it takes a few. */
#define MOVES_MAX 1000

/*
 * Cuckoo hashing: when both buckets are full, the slot takes the place of another, which goes to its own other bucket,
 * and so on. A bucket that was full stays so, so that whoever looks need not go on behind one that is not.
 * False when there is no end to it, or when the same key and id are there already: two names of one cgroup's children
 * can have the same hash, and want another seed.
 */
static bool place_slot(union bc_cell *index, const struct bc_header *header, struct bc_slot slot)
{
	uint32_t at[2], from = header->buckets;

	buckets_of(header, &slot, at);
	if (has_slot(&index[at[0]], &slot) || has_slot(&index[at[1]], &slot))
		return false;
	for (unsigned moves = 0; moves < MOVES_MAX; moves++) {
		struct bc_slot *other, moved;

		if (put_slot(&index[at[0]], &slot) || put_slot(&index[at[1]], &slot))
			return true;
		from = at[0] == from ? at[1] : at[0];
		other = &index[from].slots[moves % BC_SLOTS];
		moved = *other;
		*other = slot;
		slot = moved;
		buckets_of(header, &slot, at);
	}
	return false;
}

/* -ENOSPC when something finds no slot under this seed. */
static int fill_index(const struct compilation *c, union bc_cell *index)
{
	const struct bc_header *header = &c->header;

	for (size_t i = 0; i < c->plan.nruns; i++) {
		const struct bc_run *run = &c->plan.runs[i];
		const struct bc_segment *only = &c->plan.segments[run->first];
		struct bc_slot slot = { .key = run->key, .id = run->id };

		slot.ref = run->n == 1 ? only->ref : run->first | BC_REF_RUN;
		slot.ports = run->n == 1 ? only->first | (uint32_t)only->last << 16 : run->n;
		if (!place_slot(index, header, slot))
			return -ENOSPC;
	}
	for (uint32_t scope = BC_SCOPE_ROOT + 1; scope <= c->tree.n; scope++) {
		struct bc_slot slot = { .key = bc_key(c->tree.nodes[scope - 1].parent, BC_CHILD), .ref = scope };

		slot.id = bc_tree_hash(&c->tree, scope, header->seed);
		if (!place_slot(index, header, slot))
			return -ENOSPC;
	}
	return 0;
}

/*
 * Builds the index at a load of 80 %: less than a fifth of the subjects are then in their second bucket. Should chance
 * be against it, another seed or a little more room settles it.
 */
static int make_index(struct compilation *c)
{
	struct bc_header *header = &c->header;
	size_t slots = c->plan.nruns + c->tree.n - 1;

	header->buckets = bc_cells_for(slots * 5 / 4 + 1, BC_SLOTS);
	for (header->seed = 0;; header->seed++) {
		_cleanup_free_ union bc_cell *index = calloc(header->buckets, sizeof(*index));

		if (!index)
			return -ENOMEM;
		if (!fill_index(c, index)) {
			c->index = TAKE_PTR(index);
			return 0;
		}
		if (header->seed % 4 == 3)
			header->buckets += header->buckets / 8 + 1;
	}
}

static uint16_t rule_flags(const struct bc_rule *rule)
{
	uint16_t flags = rule->verb == BC_VERB_RESERVE ? BC_RULE_RESERVE : 0;

	flags |= rule->clauses & BC_CLAUSE_AUDIT ? BC_RULE_AUDIT : 0;
	flags |= rule->clauses & BC_CLAUSE_LOG ? BC_RULE_LOG : 0;
	flags |= rule->unit ? BC_RULE_UNIT : 0;
	flags |= rule->clauses & BC_CLAUSE_HIDDEN ? BC_RULE_HIDDEN : 0;
	flags |= rule->to_port ? BC_RULE_TO_PORT : 0;
	if (rule->to_addr)
		flags |= rule->to_v4 ? BC_RULE_TO_V4 : BC_RULE_TO_V6;
	return flags;
}

/* As bc_has_details() will see it, and one more for an address that a rewrite leads to. */
static uint32_t count_details(const struct bc_rule *rule)
{
	return rule->to_addr ? 2 : rule->to_port || rule->clauses & (BC_CLAUSE_ADDR | BC_CLAUSE_UNTIL);
}

static void write_details(const struct bc_rule *rule, struct bc_detail *details)
{
	details->gid = rule->kind == BC_GROUP ? rule->id : 0;
	details->to_port = rule->to_port;
	if (rule->clauses & BC_CLAUSE_ADDR) {
		details->prefix = rule->prefix;
		memcpy(details->addr, rule->addr, sizeof(details->addr));
	}
	if (rule->clauses & BC_CLAUSE_UNTIL)
		details->until = rule->until;
	if (rule->to_addr)
		memcpy(details[1].addr, rule->to, sizeof(details[1].addr));
}

/* All but what its details say. Returns the rule's digest. */
static uint64_t write_rule(const struct bc_policy *policy, const struct bc_rule *rule, struct bc_rule_cell *cell)
{
	uint64_t digest = bc_rule_digest(policy, rule);

	cell->verdict = bc_verb_verdict(rule->verb);
	cell->source = rule->source;
	cell->line = rule->line;
	cell->id = bc_rule_id(digest);
	cell->flags = rule_flags(rule);
	if (rule->clauses & BC_CLAUSE_PROTO) {
		cell->conditions |= BC_IF_PROTO;
		cell->proto = rule->proto;
	}
	if (rule->clauses & BC_CLAUSE_ADDR)
		cell->conditions |= rule->v4 ? BC_IF_V4 : BC_IF_V6;
	if (!rule->any_netns)
		cell->conditions |= BC_IF_HOST;
	if (rule->kind == BC_GROUP) {
		cell->conditions |= BC_IF_GROUP;
		cell->more = rule->id;
	}
	if (rule->clauses & BC_CLAUSE_UNTIL)
		cell->conditions |= BC_IF_UNTIL;
	if (bc_rule_denies(rule))
		cell->err = rule->err;
	return digest;
}

uint16_t bc_policy_features(const struct bc_policy *policy)
{
	static const uint16_t kinds[] = { [BC_USER] = BC_F_USER, [BC_GROUP] = BC_F_GROUP, [BC_ANYONE] = BC_F_ANYONE };
	uint16_t features = 0;

	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];

		features |= kinds[rule->kind];
		features |= rule->verb == BC_VERB_RESERVE ? BC_F_ANYONE : 0;
		features |= rule->clauses & BC_CLAUSE_ADDR ? BC_F_ADDR : 0;
		features |= bc_policy_path(policy, rule) ? BC_F_SCOPE : 0;
		features |= bc_rule_denies(rule) ? BC_F_DENY : 0;
		features |= rule->verb == BC_VERB_REWRITE ? BC_F_REWRITE : 0;
	}
	return features;
}

/* How many entries of BC_RULES to a cell there are. */
static size_t count_entries(const struct bc_policy *policy)
{
	size_t n = policy->n;

	for (size_t i = 0; i < policy->n; i++)
		n += count_details(&policy->rules[i]);
	return n;
}

/* Rules, and behind the last one their details. Returns the digest, as bc_policy_digest() sums it up. */
static uint64_t write_rules(const struct bc_policy *policy, union bc_cell *cells)
{
	struct bc_rule_cell *rules = cells->rules;
	struct bc_detail *details = cells->details;
	uint32_t more = policy->n;
	uint64_t digest = 0;

	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		uint32_t n = count_details(rule);

		digest += write_rule(policy, rule, &rules[i]);
		if (!n)
			continue;
		write_details(rule, &details[more]);
		rules[i].more = more;
		more += n;
	}
	return digest;
}

static size_t names_size(const struct bc_policy *policy)
{
	size_t size = 0;

	for (size_t i = 0; i < policy->nsources; i++)
		size += strlen(policy->sources[i]) + 1;
	return size;
}

static void place_sections(struct compilation *c)
{
	struct bc_header *header = &c->header;

	header->segments = BC_INDEX + header->buckets;
	header->lists = header->segments + bc_cells_for(c->plan.nsegments, BC_SEGMENTS);
	header->rules = header->lists + bc_cells_for(c->plan.nlists, BC_REFS);
	header->scopes = header->rules + bc_cells_for(count_entries(c->policy), BC_RULES);
	header->labels = header->scopes + bc_cells_for(c->tree.n, BC_SCOPES);
	c->about.names = header->labels + bc_cells_for(c->tree.nlabels, BC_PARTS);
	c->about.cells = c->about.names + bc_cells_for(names_size(c->policy), BC_CELL_SIZE);
}

static void copy_section(union bc_cell *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
}

static int write_image(struct compilation *c, struct bc_cells *ret_cells)
{
	const struct bc_header *header = &c->header;
	const struct bc_policy *policy = c->policy;
	union bc_cell *cells;
	char *name;

	place_sections(c);
	cells = calloc(c->about.cells, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	cells[0].header = *header;
	copy_section(cells + BC_INDEX, c->index, header->buckets * sizeof(*cells));
	copy_section(cells + header->segments, c->plan.segments, c->plan.nsegments * sizeof(*c->plan.segments));
	copy_section(cells + header->lists, c->plan.lists, c->plan.nlists * sizeof(*c->plan.lists));
	c->about.digest = write_rules(policy, cells + header->rules);
	cells[1].about = c->about;
	bc_tree_write(&c->tree, cells[header->scopes].scopes);
	copy_section(cells + header->labels, c->tree.labels, c->tree.nlabels * sizeof(*c->tree.labels));
	name = (char *)(cells + c->about.names);
	for (size_t i = 0; i < policy->nsources; i++)
		name = stpcpy(name, policy->sources[i]) + 1;
	*ret_cells = (struct bc_cells){ cells, c->about.cells };
	return 0;
}

int bc_compile(const struct bc_policy *policy, enum bc_severity severity, struct bc_cells *ret_cells,
	       struct bc_report *report, struct bc_error *reterr)
{
	_cleanup_(compilation_done) struct compilation c = {
		.policy = policy,
		.plan = { .severity = severity, .report = report },
		.header = { .magic = BC_MAGIC, .schema = BC_SCHEMA, .features = bc_policy_features(policy) },
		.about = { .nrules = policy->n, .nsources = policy->nsources },
	};
	size_t errors = report->errors;
	int r;

	r = make_scopes(&c);
	if (r == -E2BIG)
		return bc_fail(reterr, r, "the rules name more than %u cgroups, those above them included",
			       BC_SCOPES_MAX);
	c.about.nscopes = c.tree.n;
	if (!r)
		r = make_entries(&c);
	if (!r)
		r = bc_plan_segments(&c.plan, policy, c.entries, c.nentries);
	if (r == -E2BIG)
		return bc_fail(reterr, r,
			       "too many rules of one subject overlap: the compiled policy would be too large");
	if (!r && report->errors > errors)
		return bc_fail(reterr, -EINVAL, "rules of equal rank disagree");
	if (!r)
		r = make_index(&c);
	if (!r)
		r = write_image(&c, ret_cells);
	return r ? bc_fail_errno(reterr, r, "cannot compile the policy") : 0;
}
