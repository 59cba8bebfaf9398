// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/intent/ports.h"
#include "pure/clause.h"
#include "agent/intent/rules.h"

void rules_done(struct rules *rules)
{
	free(rules->items);
	free(rules->ranges);
	free(rules->prefixes);
	*rules = (struct rules){};
}

static bool same(const void *a, const void *b, size_t n, size_t size)
{
	return !n || !memcmp(a, b, n * size);
}

bool rules_equal(const struct rules *a, const struct rules *b)
{
	return a->n == b->n && a->nranges == b->nranges && a->nprefixes == b->nprefixes &&
	       same(a->items, b->items, a->n, sizeof(*a->items)) &&
	       same(a->ranges, b->ranges, a->nranges, sizeof(*a->ranges)) &&
	       same(a->prefixes, b->prefixes, a->nprefixes, sizeof(*a->prefixes));
}

/* New items are all zeros, padding too: they are compared as bytes. */
static struct rule *add_rule(struct rules *rules)
{
	struct rule *rule;

	if (bc_grow(&rules->items, &rules->room, rules->n + 1))
		return NULL;
	rule = memset(&rules->items[rules->n++], 0, sizeof(*rule));
	rule->verb = BC_VERB_ALLOW;
	rule->proto = BC_TCP | BC_UDP;
	return rule;
}

static struct prefix *add_prefix(struct rules *rules)
{
	if (bc_grow(&rules->prefixes, &rules->prefixes_room, rules->nprefixes + 1))
		return NULL;
	return memset(&rules->prefixes[rules->nprefixes++], 0, sizeof(struct prefix));
}

static int parse_prefix(const struct field *field, struct prefix *ret, struct bc_error *reterr)
{
	struct bc_word word = {};
	char why[256];
	int r = field_string(field, &word.text, reterr);

	if (r)
		return r;
	word.len = strlen(word.text);
	if (bc_parse_addr(&word, ret->addr, &ret->v4, &ret->bits, why, sizeof(why))) {
		char shown[sizeof(why)];

		return field_fail(field, reterr, "%s", bc_printable(shown, sizeof(shown), why));
	}
	return 0;
}

static int parse_addresses(const struct field *field, struct rules *rules, struct rule *rule, struct bc_error *reterr)
{
	size_t n = 0;
	int r = field->value ? field_array(field, 1, RULES_ADDRESSES_MAX, &n, reterr) : 0;

	rule->prefixes = rules->nprefixes;
	for (size_t i = 0; !r && i < n; i++) {
		const struct field element = field_element(field, i);
		struct prefix *prefix = add_prefix(rules);

		r = prefix ? parse_prefix(&element, prefix, reterr) : bc_fail(reterr, -ENOMEM, "out of memory");
	}
	rule->nprefixes = n;
	return r;
}

static int parse_protocol(const struct field *field, struct rule *rule, struct bc_error *reterr)
{
	static const char *const words[] = { "TCP", "UDP", NULL };
	unsigned word = 0;
	int r = field->value ? field_word(field, words, &word, reterr) : 0;

	if (!r && field->value)
		rule->proto = word ? BC_UDP : BC_TCP;
	return r;
}

static int parse_user(const struct field *field, struct rule *rule, struct bc_error *reterr)
{
	int64_t user = 0;
	/* The last number is nobody's: (uid_t)-1. */
	int r = field->value ? field_number(field, UINT32_MAX - 1, &user, reterr) : 0;

	rule->has_user = field->value;
	rule->user = user;
	return r;
}

static int parse_target_address(const struct field *field, struct target *to, struct bc_error *reterr)
{
	struct prefix prefix = {};
	const char *text = "";
	int r = parse_prefix(field, &prefix, reterr);

	r = r ?: field_string(field, &text, reterr);
	if (!r && strchr(text, '/'))
		return field_fail(field, reterr, "a rewrite leads to one address, not to a prefix");
	to->has_addr = true;
	to->v4 = prefix.v4;
	memcpy(to->addr, prefix.addr, sizeof(to->addr));
	return r;
}

static int parse_target(const struct field *field, struct rule *rule, struct bc_error *reterr)
{
	static const char *const members[] = { "address", "port", "hidden", NULL };
	const struct field address = field_member(field, "address"), port = field_member(field, "port");
	const struct field hidden = field_member(field, "hidden");
	bool rewrites = rule->verb == BC_VERB_REWRITE;
	int64_t number = 0;
	int r;

	if (rewrites != !!field->value)
		return field_fail(field, reterr,
				  rewrites ? "is missing: Rewrite leads somewhere" : "is for the action Rewrite alone");
	if (!rewrites)
		return 0;
	r = field_only(field, members, reterr);
	if (!r && !address.value && !port.value)
		r = field_fail(field, reterr, "has neither an address nor a port");
	if (!r && address.value)
		r = parse_target_address(&address, &rule->to, reterr);
	if (!r && port.value)
		r = field_number(&port, UINT16_MAX, &number, reterr);
	if (!r && port.value && !number)
		r = field_fail(&port, reterr, "a rewrite leads to a port from 1 to 65535");
	rule->to.port = number;
	return r ?: field_bool(&hidden, false, &rule->to.hidden, reterr);
}

static int parse_action(const struct field *field, enum rules_kind kind, struct rule *rule, struct bc_error *reterr)
{
	static const char *const words[] = { "Grant", "Allow", "Deny", "Rewrite", NULL };
	static const char *const denies[] = { "Deny", NULL };
	static const uint8_t verbs[] = { BC_VERB_GRANT, BC_VERB_ALLOW, BC_VERB_DENY, BC_VERB_REWRITE };
	unsigned word = 0;
	int r = field_word(field, kind == RULES_OF_CLUSTER ? denies : words, &word, reterr);

	rule->verb = kind == RULES_OF_CLUSTER ? BC_VERB_DENY : verbs[word];
	return r;
}

static const char *const *members_of(enum rules_kind kind)
{
	static const char *const namespace[] = { "action", "protocol", "ports", "addresses", "runAsUser", "to", NULL };
	static const char *const cluster[] = { "action", "protocol", "ports", "addresses", "runAsUser", NULL };
	static const char *const ceiling[] = { "protocol", "ports", "addresses", NULL };
	static const char *const reserved[] = { "protocol", "ports", NULL };
	static const char *const *const members[] = { namespace, cluster, ceiling, reserved };

	return members[kind];
}

/* Everyone on the node would be refused everything, the kubelet too. */
static int check_reserved(const struct field *field, const struct rules *rules, const struct rule *rule,
			  struct bc_error *reterr)
{
	for (uint32_t i = 0; i < rule->nranges; i++)
		if (!rules->ranges[rule->ranges + i].first)
			return field_fail(field, reterr, "'any' would leave no port to anybody on the node");
	return 0;
}

static int parse_rule(const struct field *field, enum rules_kind kind, bool some, struct rules *rules,
		      struct bc_error *reterr)
{
	const struct field action = field_member(field, "action"), protocol = field_member(field, "protocol");
	const struct field ports = field_member(field, "ports"), addresses = field_member(field, "addresses");
	const struct field user = field_member(field, "runAsUser"), to = field_member(field, "to");
	struct rule *rule = add_rule(rules);
	bool acts = kind == RULES_OF_NAMESPACE || kind == RULES_OF_CLUSTER;
	int r;

	if (!rule)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	r = field_only(field, members_of(kind), reterr);
	if (!r && acts)
		r = parse_action(&action, kind, rule, reterr);
	r = r ?: parse_protocol(&protocol, rule, reterr);
	r = r ?: ports_parse(&ports, some, rules, rule, reterr);
	r = r ?: parse_addresses(&addresses, rules, rule, reterr);
	if (!r && acts)
		r = parse_user(&user, rule, reterr);
	if (!r && kind == RULES_OF_NAMESPACE)
		r = parse_target(&to, rule, reterr);
	if (!r && kind == RULES_RESERVED)
		r = check_reserved(&ports, rules, rule, reterr);
	return r;
}

static size_t pairs_of(const struct rule *rule)
{
	return (size_t)rule->nranges * (rule->nprefixes ?: 1);
}

int rules_parse(const struct field *field, enum rules_kind kind, struct rules *ret, struct bc_error *reterr)
{
	_cleanup_(rules_done) struct rules rules = {};
	size_t n = 0, pairs = 0;
	int r = field_array(field, kind == RULES_OF_NAMESPACE ? 1 : 0, RULES_MAX, &n, reterr);

	for (size_t i = 0; !r && i < n; i++) {
		const struct field element = field_element(field, i);

		r = parse_rule(&element, kind, false, &rules, reterr);
		if (!r)
			pairs += pairs_of(&rules.items[i]);
	}
	if (r)
		return r;
	if (pairs > RULES_PAIRS_MAX)
		return field_fail(field, reterr, "has %zu pairs of a port range and an address, and may have %d", pairs,
				  RULES_PAIRS_MAX);
	*ret = rules;
	rules = (struct rules){};
	return 0;
}

int rules_salvage(const struct field *field, enum rules_kind kind, struct rules *ret)
{
	_cleanup_(rules_done) struct rules rules = {};
	size_t n = json_object_is_type(field->value, json_type_array) ? json_object_array_length(field->value) : 0;
	size_t pairs = 0;

	for (size_t i = 0; i < n && i < RULES_MAX; i++) {
		const struct field element = field_element(field, i);
		const size_t nrules = rules.n, nranges = rules.nranges, nprefixes = rules.nprefixes;
		int r = parse_rule(&element, kind, true, &rules, NULL);

		if (r == -ENOMEM)
			return r;
		if (!r)
			pairs += pairs_of(&rules.items[nrules]);
		if (!r && pairs <= RULES_PAIRS_MAX)
			continue;
		rules.n = nrules;
		rules.nranges = nranges;
		rules.nprefixes = nprefixes;
	}
	*ret = rules;
	rules = (struct rules){};
	return 0;
}

/* One item of a list in text: PORTS, or PORTS/PROTOCOL. */
static int parse_text_item(struct rules *rules, const char *item, size_t len, char *text, size_t size)
{
	const char *slash = memchr(item, '/', len);
	size_t ports = slash ? (size_t)(slash - item) : len, rest = slash ? len - ports - 1 : 0;
	struct rule *rule = add_rule(rules);

	if (!rule || bc_grow(&rules->ranges, &rules->ranges_room, rules->nranges + 1))
		return -ENOMEM;
	if (slash && rest == 3 && !strncasecmp(slash + 1, "tcp", 3)) {
		rule->proto = BC_TCP;
	} else if (slash && rest == 3 && !strncasecmp(slash + 1, "udp", 3)) {
		rule->proto = BC_UDP;
	} else if (slash) {
		snprintf(text, size, "behind a / stands tcp or udp");
		return -EINVAL;
	}
	rule->ranges = rules->nranges;
	rule->nranges = 1;
	return ports_range(item, ports, &rules->ranges[rules->nranges++], text, size);
}

int rules_parse_list(const char *list, struct rules *ret, char *text, size_t size)
{
	_cleanup_(rules_done) struct rules rules = {};
	const char *item = list;

	for (;;) {
		const char *end;
		size_t len;
		int r;

		item += strspn(item, " ");
		end = item + strcspn(item, ",");
		len = end - item;
		while (len && item[len - 1] == ' ')
			len--;
		if (rules.n == RULES_MAX) {
			snprintf(text, size, "has more than %d items", RULES_MAX);
			return -EINVAL;
		}
		r = parse_text_item(&rules, item, len, text, size);
		if (r)
			return r;
		if (!*end)
			break;
		item = end + 1;
	}
	*ret = rules;
	rules = (struct rules){};
	return 0;
}
