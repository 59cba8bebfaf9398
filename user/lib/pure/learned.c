// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/learned.h"
#include "pure/parse.h"

/* What one port of a rule comes from: binds that differ in nothing that a rule can say. */
struct item {
	struct bc_seen_key key; /* `proto` a mask; `both` is not used */
	bool grant;
	bool foreign;
	bool v4_side;
	uint8_t width; /* enum bc_width */
	const char *by;
	struct bc_sightings sightings;
};

struct items {
	struct item *items;
	size_t n;
	size_t room;
};

void bc_learned_done(struct bc_learned *learned)
{
	bc_policy_done(&learned->policy);
	free(learned->lessons);
	*learned = (struct bc_learned){};
}

/* [::] of a dual-stack socket is decided as 0.0.0.0 besides, and needs a rule for either. */
static int add_items(struct items *items, const struct bc_seen *seen)
{
	enum bc_width width = seen->key.fate == BC_FATE_REFUSED && !seen->chosen ? BC_WIDTH_ANY : BC_WIDTH_CHOSEN;

	for (int side = 0; side <= seen->key.both; side++) {
		struct item *item;

		if (bc_grow(&items->items, &items->room, items->n + 1))
			return -ENOMEM;
		item = &items->items[items->n++];
		*item = (struct item){
			.key = seen->key,
			.grant = seen->grant,
			.foreign = seen->foreign,
			.v4_side = side,
			.width = seen->key.port ? BC_WIDTH_ONE : width,
			.by = seen->by,
			.sightings = seen->sightings,
		};
		item->key.both = 0;
		if (side)
			item->key.addr[2] = 0xffff;
	}
	return 0;
}

static int compare(uint64_t left, uint64_t right)
{
	return BC_COMPARE(left, right);
}

/* Who was let or refused what, where. */
static int compare_subjects(const struct item *a, const struct item *b)
{
	return compare(a->key.fate, b->key.fate)			     ?:
		       compare(a->key.rule, b->key.rule)		     ?:
		       compare(a->key.uid, b->key.uid)			     ?:
		       memcmp(a->key.addr, b->key.addr, sizeof(a->key.addr)) ?:
									       compare(a->width, b->width);
}

/* Whether the one would contradict the other in a policy, or say the same. */
static int compare_binds(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return compare_subjects(a, b) ?: compare(a->key.port, b->key.port) ?: compare(a->key.proto, b->key.proto);
}

/* Whether they differ in the protocol alone. */
static int compare_but_proto(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return compare_subjects(a, b)		       ?:
		       compare(b->grant, a->grant)     ?:
		       compare(a->foreign, b->foreign) ?:
							 compare(a->key.port, b->key.port);
}

/* Whether they differ in the port alone, and so are for one rule. */
static int compare_but_port(const struct item *a, const struct item *b)
{
	return compare_subjects(a, b)		       ?:
		       compare(b->grant, a->grant)     ?:
		       compare(a->foreign, b->foreign) ?:
							 compare(a->key.proto, b->key.proto);
}

static int compare_rules(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return compare_but_port(a, b) ?: compare(a->key.port, b->key.port);
}

/* Makes one of those that are equal by that order. */
static void merge(struct items *items, int (*order)(const void *left, const void *right))
{
	size_t n = 0;

	qsort(items->items, items->n, sizeof(*items->items), order);
	for (size_t i = 0; i < items->n; i++) {
		struct item *item = &items->items[i], *last = n ? &items->items[n - 1] : NULL;

		if (!last || order(last, item)) {
			items->items[n++] = *item;
			continue;
		}
		last->key.proto |= item->key.proto;
		last->grant |= item->grant;
		last->foreign |= item->foreign;
		last->v4_side |= item->v4_side;
		bc_sightings_add(&last->sightings, &item->sightings);
	}
	items->n = n;
}

/* What is being made of the items. */
struct making {
	const struct bc_learned_form *form;
	struct bc_learned *learned;
	uint32_t uid; /* whose name `name` is */
	uint32_t name;
	uint32_t path;
	size_t fixed; /* bytes of the rule but for its ports */
};

/* A rule without ports. */
static int begin_rule(struct making *making, const struct item *item)
{
	struct bc_policy *policy = &making->learned->policy;
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct bc_rule rule = {
		.verb = item->grant ? BC_VERB_GRANT : BC_VERB_ALLOW,
		.kind = BC_USER,
		.proto = item->key.proto,
		.prefix = 128,
		.v4 = bc_addr_is_v4(item->key.addr),
		.any_netns = item->foreign,
		.clauses = BC_CLAUSE_USER | BC_CLAUSE_PORT | BC_CLAUSE_ADDR,
		.id = item->key.uid,
		.path = making->path,
		.ranges = policy->nranges,
	};

	if (!policy->n || making->uid != item->key.uid) {
		_cleanup_free_ char *name = making->form->user(item->key.uid);

		making->uid = item->key.uid;
		making->name = name ? bc_policy_string(policy, name, strlen(name)) : 0;
		if (name && !making->name)
			return -ENOMEM;
	}
	rule.name = making->name;
	memcpy(rule.addr, item->key.addr, sizeof(rule.addr));
	rule.clauses |= item->key.proto == (BC_TCP | BC_UDP) ? 0 : BC_CLAUSE_PROTO;
	rule.clauses |= item->foreign ? BC_CLAUSE_NETNS : 0;
	rule.clauses |= making->path ? BC_CLAUSE_CGROUP : 0;
	if (bc_grow(&policy->rules, &policy->room, policy->n + 1) ||
	    bc_grow(&making->learned->lessons, &making->learned->room, policy->n + 1))
		return -ENOMEM;
	bc_format_rule(&text, policy, &rule);
	making->fixed = text.len;
	policy->rules[policy->n] = rule;
	making->learned->lessons[policy->n++] =
		(struct bc_lesson){ .fate = item->key.fate, .width = item->width, .by = item->by };
	return text.failed ? -ENOMEM : 0;
}

#define RANGE_MAX 12 /* bytes of a range and its comma */

/* The port is another one of the last rule's; -E2BIG when its line is full. */
static int add_port(struct making *making, const struct item *item)
{
	struct bc_policy *policy = &making->learned->policy;
	struct bc_rule *rule = &policy->rules[policy->n - 1];
	struct bc_lesson *lesson = &making->learned->lessons[policy->n - 1];
	struct bc_range *last = rule->nranges ? &policy->ranges[policy->nranges - 1] : NULL;
	struct bc_range range = { item->key.port, item->key.port };

	if (item->width == BC_WIDTH_CHOSEN)
		range = making->form->chosen;
	else if (item->width == BC_WIDTH_ANY)
		range = (struct bc_range){ 0, UINT16_MAX };
	if (last && last->last + 1 == range.first) {
		last->last = range.last;
	} else {
		if (making->fixed + (rule->nranges + 1ul) * RANGE_MAX + strlen(BC_COMMENT) > BC_LINE_MAX)
			return -E2BIG;
		if (bc_grow(&policy->ranges, &policy->ranges_room, policy->nranges + 1))
			return -ENOMEM;
		policy->ranges[policy->nranges++] = range;
		rule->nranges++;
	}
	lesson->v4_side |= item->v4_side;
	bc_sightings_add(&lesson->sightings, &item->sightings);
	return 0;
}

static int add_rules(struct making *making, const struct items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		const struct item *item = &items->items[i];
		int r = i && !compare_but_port(item - 1, item) ? add_port(making, item) : -E2BIG;

		if (r == -E2BIG)
			r = begin_rule(making, item) ?: add_port(making, item);
		if (r)
			return r;
	}
	return 0;
}

int bc_learned_make(const struct bc_learn *learn, const struct bc_learned_form *form, struct bc_learned *ret,
		    struct bc_error *reterr)
{
	_cleanup_(bc_learned_done) struct bc_learned learned = {};
	struct making making = { .form = form, .learned = &learned };
	struct items items = {};
	int r = 0;

	if (form->cgroup) {
		making.path = bc_policy_string(&learned.policy, form->cgroup, strlen(form->cgroup));
		r = making.path ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !r && i < learn->n; i++)
		if (learn->seen[i]->sightings.binds)
			r = add_items(&items, learn->seen[i]);
	if (!r && items.n) {
		merge(&items, compare_binds);
		merge(&items, compare_but_proto);
		qsort(items.items, items.n, sizeof(*items.items), compare_rules);
		r = add_rules(&making, &items);
	}
	free(items.items);
	if (r == -E2BIG)
		return bc_fail(reterr, r, "a rule with that cgroup does not fit into a line of %d bytes", BC_LINE_MAX);
	if (r)
		return bc_fail_errno(reterr, r, "cannot make rules");
	*ret = learned;
	learned = (struct bc_learned){};
	return 0;
}
