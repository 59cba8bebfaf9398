// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/compile.h"
#include "pure/segment.h"

void bc_cells_done(struct bc_cells *cells)
{
	free(cells->cells);
	*cells = (struct bc_cells){};
}

static uint32_t cells_for(size_t items, size_t in_a_cell)
{
	return (items + in_a_cell - 1) / in_a_cell;
}

static int make_entries(const struct bc_policy *policy, struct bc_entry **ret_entries, size_t *ret_n)
{
	struct bc_entry *entries = calloc(policy->nranges + 1, sizeof(*entries));
	size_t n = 0;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];

		for (size_t k = 0; k < rule->nranges; k++) {
			const struct bc_range *range = &policy->ranges[rule->ranges + k];

			entries[n++] = (struct bc_entry){ bc_key(rule->scope, rule->kind), rule->id, range->first,
							  range->last, i };
		}
	}
	qsort(entries, n, sizeof(*entries), bc_entry_compare);
	*ret_entries = entries;
	*ret_n = n;
	return 0;
}

/* Puts every run into the first free slot within BC_PROBES buckets of its own; -ENOSPC when one finds none. */
static int fill_index(const struct bc_plan *plan, union bc_cell *index, uint32_t buckets, uint32_t seed)
{
	memset(index, 0, buckets * sizeof(*index));
	for (size_t i = 0; i < plan->nruns; i++) {
		const struct bc_run *run = &plan->runs[i];
		const struct bc_segment *only = &plan->segments[run->first];
		uint32_t bucket = bc_bucket(bc_hash(run->key, run->id, seed), buckets);
		struct bc_slot *slot = NULL;

		for (unsigned probe = 0; !slot && probe < BC_PROBES; probe++) {
			for (unsigned k = 0; !slot && k < BC_SLOTS; k++)
				if (!index[bucket].slots[k].key)
					slot = &index[bucket].slots[k];
			bucket = bucket + 1 < buckets ? bucket + 1 : 0;
		}
		if (!slot)
			return -ENOSPC;
		slot->key = run->key;
		slot->id = run->id;
		slot->ref = run->n == 1 ? only->ref : run->first | BC_REF_RUN;
		slot->ports = run->n == 1 ? only->first | (uint32_t)only->last << 16 : run->n;
	}
	return 0;
}

/*
 * Builds the index at about 80 % load, which places a million subjects within three buckets. Should chance be against
 * it, another seed or a little more room settles it.
 */
static int make_index(const struct bc_plan *plan, union bc_cell **ret_index, uint32_t *ret_buckets, uint32_t *ret_seed)
{
	uint32_t buckets = cells_for(plan->nruns * 5 / 4 + 1, BC_SLOTS);

	for (uint32_t seed = 0;; seed++) {
		_cleanup_free_ union bc_cell *index = calloc(buckets, sizeof(*index));

		if (!index)
			return -ENOMEM;
		if (!fill_index(plan, index, buckets, seed)) {
			*ret_index = TAKE_PTR(index);
			*ret_buckets = buckets;
			*ret_seed = seed;
			return 0;
		}
		if (seed % 4 == 3)
			buckets += buckets / 8 + 1;
	}
}

static void write_rule(const struct bc_rule *rule, struct bc_rule_cell *cell)
{
	cell->verdict = bc_verb_verdict(rule->verb);
	cell->source = rule->source;
	cell->line = rule->line;
	if (rule->clauses & BC_CLAUSE_PROTO) {
		cell->conditions |= BC_IF_PROTO;
		cell->proto = rule->proto;
	}
	if (rule->clauses & BC_CLAUSE_ADDR) {
		cell->conditions |= rule->v4 ? BC_IF_V4 : BC_IF_V6;
		cell->prefix = rule->prefix;
		memcpy(cell->addr, rule->addr, sizeof(cell->addr));
	}
	if (!rule->any_netns)
		cell->conditions |= BC_IF_HOST;
	if (rule->verb == BC_VERB_DENY)
		cell->err = rule->err;
}

static void write_ports(const struct bc_policy *policy, union bc_cell *ports)
{
	for (size_t i = 0; i < policy->n; i++) {
		for (size_t k = 0; k < policy->rules[i].nranges; k++) {
			const struct bc_range *range = &policy->ranges[policy->rules[i].ranges + k];

			for (uint32_t port = range->first; port <= range->last; port++) {
				__u64 *word = &ports[port / 512].ports[port / 64 % 8];

				/* A whole word at a time where the range allows: `any` is written often. */
				if (port % 64 == 0 && range->last - port >= 63) {
					*word = ~(__u64)0;
					port += 63;
				} else {
					*word |= (__u64)1 << port % 64;
				}
			}
		}
	}
}

static uint16_t find_features(const struct bc_policy *policy)
{
	uint16_t features = 0;

	for (size_t i = 0; i < policy->n; i++) {
		features |= policy->rules[i].kind == BC_USER ? BC_F_USER : BC_F_ANYONE;
		if (policy->rules[i].clauses & BC_CLAUSE_ADDR)
			features |= BC_F_ADDR;
	}
	return features;
}

static size_t names_size(const struct bc_policy *policy)
{
	size_t size = 0;

	for (size_t i = 0; i < policy->nsources; i++)
		size += strlen(policy->sources[i]) + 1;
	return size;
}

static int write_image(const struct bc_policy *policy, const struct bc_plan *plan, const union bc_cell *index,
		       struct bc_header *header, struct bc_cells *ret_cells)
{
	union bc_cell *cells;
	char *name;

	header->index = 1 + BC_PORT_CELLS;
	header->segments = header->index + header->buckets;
	header->lists = header->segments + cells_for(plan->nsegments, BC_SEGMENTS);
	header->rules = header->lists + cells_for(plan->nlists, BC_REFS);
	header->names = header->rules + policy->n;
	header->cells = header->names + cells_for(names_size(policy), BC_CELL_SIZE);
	cells = calloc(header->cells, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	cells[0].header = *header;
	write_ports(policy, cells + 1);
	memcpy(cells + header->index, index, header->buckets * sizeof(*cells));
	if (plan->nsegments)
		memcpy(cells + header->segments, plan->segments, plan->nsegments * sizeof(*plan->segments));
	if (plan->nlists)
		memcpy(cells + header->lists, plan->lists, plan->nlists * sizeof(*plan->lists));
	for (size_t i = 0; i < policy->n; i++)
		write_rule(&policy->rules[i], &cells[header->rules + i].rule);
	name = (char *)(cells + header->names);
	for (size_t i = 0; i < policy->nsources; i++)
		name = stpcpy(name, policy->sources[i]) + 1;
	*ret_cells = (struct bc_cells){ cells, header->cells };
	return 0;
}

int bc_compile(const struct bc_policy *policy, enum bc_severity severity, struct bc_cells *ret_cells,
	       struct bc_report *report, struct bc_error *reterr)
{
	_cleanup_(bc_plan_done) struct bc_plan plan = { .severity = severity, .report = report };
	_cleanup_free_ struct bc_entry *entries = NULL;
	_cleanup_free_ union bc_cell *index = NULL;
	struct bc_header header = {
		.magic = BC_MAGIC,
		.schema = BC_SCHEMA,
		.features = find_features(policy),
		.digest = bc_policy_digest(policy),
		.nrules = policy->n,
		.nsources = policy->nsources,
	};
	size_t n, errors = report->errors;
	int r;

	r = make_entries(policy, &entries, &n);
	if (!r)
		r = bc_plan_segments(&plan, policy, entries, n);
	if (r == -E2BIG)
		return bc_fail(reterr, r, "rules of one subject overlap too much: more than %u places in the image",
			       BC_LISTED_MAX);
	if (!r && report->errors > errors)
		return bc_fail(reterr, -EINVAL, "rules of equal rank disagree");
	if (!r)
		r = make_index(&plan, &index, &header.buckets, &header.seed);
	if (!r)
		r = write_image(policy, &plan, index, &header, ret_cells);
	return r ? bc_fail_errno(reterr, r, "cannot compile the policy") : 0;
}
