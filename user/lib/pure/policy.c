// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/moment.h"
#include "pure/parse.h"
#include "pure/policy.h"

static const struct {
	const char *name;
	int number;
} errnos[] = {
	{ "EACCES", EACCES },
	{ "EADDRINUSE", EADDRINUSE },
	{ "EADDRNOTAVAIL", EADDRNOTAVAIL },
	{ "EPERM", EPERM },
};

void bc_policy_done(struct bc_policy *policy)
{
	for (size_t i = 0; i < policy->nsources; i++)
		free(policy->sources[i]);
	free(policy->sources);
	free(policy->rules);
	free(policy->ranges);
	bc_text_done(&policy->strings);
	*policy = (struct bc_policy){};
}

int bc_policy_source(struct bc_policy *policy, const char *name, uint32_t *ret_source)
{
	char *copy;

	for (size_t i = policy->nsources; i-- > 0;) {
		if (!strcmp(policy->sources[i], name)) {
			*ret_source = i;
			return 0;
		}
	}
	if (policy->nsources == UINT16_MAX)
		return -E2BIG;
	if (bc_grow(&policy->sources, &policy->sources_room, policy->nsources + 1))
		return -ENOMEM;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	policy->sources[policy->nsources] = copy;
	*ret_source = policy->nsources++;
	return 0;
}

uint32_t bc_policy_string(struct bc_policy *policy, const char *name, size_t len)
{
	struct bc_text *strings = &policy->strings;
	size_t at;

	/* The last name stands at the end: len bytes and its NUL, with another NUL before them. */
	if (strings->len >= len + 2 && !strings->data[strings->len - len - 2] &&
	    !memcmp(strings->data + strings->len - len - 1, name, len))
		return strings->len - len - 1;
	if (!strings->len)
		bc_text_add(strings, "", 1);
	at = strings->len;
	bc_text_add(strings, name, len);
	bc_text_add(strings, "", 1);
	return strings->failed || at > UINT32_MAX ? 0 : at;
}

static const struct {
	const char *name;
	enum bc_verdict verdict;
} verbs[] = {
	[BC_VERB_GRANT] = { "grant", BC_GRANT },     [BC_VERB_ALLOW] = { "allow", BC_ALLOW },
	[BC_VERB_DENY] = { "deny", BC_DENY },	     [BC_VERB_REWRITE] = { "rewrite", BC_REWRITE },
	[BC_VERB_RESERVE] = { "reserve", BC_GRANT },
};

bool bc_path_within(const char *cgroup, const char *path)
{
	size_t len = path[1] ? strlen(path) : 0;

	return cgroup && !strncmp(cgroup, path, len) && (!len || !cgroup[len] || cgroup[len] == '/');
}

const char *bc_verb_name(enum bc_verb verb)
{
	return verb < ARRAY_SIZE(verbs) && verbs[verb].name ? verbs[verb].name : "?";
}

enum bc_verdict bc_verb_verdict(enum bc_verb verb)
{
	return verb < ARRAY_SIZE(verbs) && verbs[verb].name ? verbs[verb].verdict : BC_DENY;
}

int bc_errno_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (strlen(errnos[i].name) == len && !memcmp(errnos[i].name, name, len))
			return errnos[i].number;
	return 0;
}

const char *bc_errno_name(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (errnos[i].number == number)
			return errnos[i].name;
	return NULL;
}

void bc_format_ports(struct bc_text *text, const struct bc_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			bc_text_add(text, ",", 1);
		if (ranges[i].first == 0 && ranges[i].last == UINT16_MAX)
			bc_text_add(text, "any", 3);
		else if (ranges[i].first == ranges[i].last)
			bc_text_addf(text, "%u", ranges[i].first);
		else
			bc_text_addf(text, "%u-%u", ranges[i].first, ranges[i].last);
	}
}

void bc_format_addr(struct bc_text *text, const uint32_t addr[4], bool v4, unsigned prefix)
{
	char buffer[INET6_ADDRSTRLEN] = "?";
	uint32_t wire[4];

	for (int i = 0; i < 4; i++)
		wire[i] = htonl(addr[i]);
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? &wire[3] : wire, buffer, sizeof(buffer));
	bc_text_addf(text, "%s", buffer);
	if (prefix < 128)
		bc_text_addf(text, "/%u", v4 ? prefix - 96 : prefix);
}

void bc_format_word(struct bc_text *text, const char *word)
{
	if (*word && *word != '"' && *word != '#' && !strpbrk(word, " \t")) {
		bc_text_add(text, word, strlen(word));
		return;
	}
	bc_text_add(text, "\"", 1);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			bc_text_add(text, "\\", 1);
		bc_text_add(text, word, 1);
	}
	bc_text_add(text, "\"", 1);
}

void bc_format_to(struct bc_text *text, const struct bc_rule *rule)
{
	bool brackets = rule->to_addr && !rule->to_v4 && rule->to_port;

	if (rule->to_addr) {
		bc_text_addf(text, "%s", brackets ? "[" : "");
		bc_format_addr(text, rule->to, rule->to_v4, 128);
		bc_text_addf(text, "%s", brackets ? "]" : "");
	}
	if (rule->to_port)
		bc_text_addf(text, ":%u", rule->to_port);
}

static void format_subject(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule)
{
	if (rule->kind != BC_ANYONE) {
		bc_text_addf(text, rule->kind == BC_USER ? " user " : " group ");
		if (rule->name)
			bc_format_word(text, bc_policy_name(policy, rule));
		else
			bc_text_addf(text, "%u", rule->id);
	}
	if (rule->unit) {
		bc_text_addf(text, " unit ");
		bc_format_word(text, policy->strings.data + rule->unit);
	} else if (rule->path) {
		bc_text_addf(text, " cgroup ");
		bc_format_word(text, policy->strings.data + rule->path);
	}
}

void bc_format_rule(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule)
{
	bc_text_addf(text, "%s", bc_verb_name(rule->verb));
	format_subject(text, policy, rule);
	bc_text_addf(text, " port ");
	bc_format_ports(text, policy->ranges + rule->ranges, rule->nranges);
	if (rule->clauses & BC_CLAUSE_PROTO)
		bc_text_addf(text, " proto %s", rule->proto == BC_TCP ? "tcp" : "udp");
	if (rule->clauses & BC_CLAUSE_ADDR) {
		bc_text_addf(text, " addr ");
		bc_format_addr(text, rule->addr, rule->v4, rule->prefix);
	}
	if (rule->any_netns)
		bc_text_addf(text, " netns any");
	if (rule->clauses & BC_CLAUSE_TO) {
		bc_text_addf(text, " to ");
		bc_format_to(text, rule);
		bc_text_addf(text, "%s", rule->clauses & BC_CLAUSE_HIDDEN ? " hidden" : "");
	}
	if (bc_rule_denies(rule) && rule->err != EACCES)
		bc_text_addf(text, " errno %s", bc_errno_name(rule->err));
	if (rule->clauses & BC_CLAUSE_UNTIL) {
		bc_text_addf(text, " until ");
		bc_format_moment(text, rule->until);
	}
	bc_text_addf(text, "%s%s", rule->clauses & BC_CLAUSE_LOG ? " log" : "",
		     rule->clauses & BC_CLAUSE_AUDIT ? " audit" : "");
}

void bc_format_comment(struct bc_text *text, const struct bc_text *line)
{
	char shown[BC_LINE_MAX];

	if (!line->data)
		return;
	bc_printable(shown, sizeof(shown) - strlen(BC_COMMENT), line->data);
	bc_text_addf(text, BC_COMMENT "%s\n", shown);
}

/* The parts that most rules lack. */
static uint64_t digest_rest(uint64_t hash, const struct bc_policy *policy, const struct bc_rule *rule)
{
	const char *path = bc_policy_path(policy, rule);
	uint32_t clauses =
		rule->clauses & (BC_CLAUSE_TO | BC_CLAUSE_HIDDEN | BC_CLAUSE_UNTIL | BC_CLAUSE_LOG | BC_CLAUSE_AUDIT);
	uint32_t to[7] = { clauses };

	if (path)
		hash = bc_fnv(hash, path, strlen(path) + 1);
	if (!clauses)
		return hash;
	if (clauses & BC_CLAUSE_TO) {
		to[1] = rule->to_port | (uint32_t)rule->to_addr << 16 | (uint32_t)rule->to_v4 << 17;
		if (rule->to_addr)
			memcpy(&to[2], rule->to, sizeof(rule->to));
	}
	hash = bc_fnv(hash, to, sizeof(to));
	return clauses & BC_CLAUSE_UNTIL ? bc_fnv(hash, &rule->until, sizeof(rule->until)) : hash;
}

uint64_t bc_rule_digest(const struct bc_policy *policy, const struct bc_rule *rule)
{
	/* Only what the rule means, in one fixed layout without padding. */
	uint32_t words[10] = { rule->verb | rule->kind << 8 | rule->proto << 16, BC_SCOPE_ROOT, rule->id };
	uint64_t hash;

	if (rule->clauses & BC_CLAUSE_PROTO)
		words[3] |= 1;
	if (rule->any_netns)
		words[3] |= 2;
	if (rule->clauses & BC_CLAUSE_ADDR) {
		words[4] = 1u << 31 | rule->v4 << 8 | rule->prefix;
		memcpy(&words[5], rule->addr, sizeof(rule->addr));
	}
	if (bc_rule_denies(rule))
		words[9] = rule->err;
	hash = bc_fnv(BC_FNV_START, words, sizeof(words));
	hash = bc_fnv(hash, policy->ranges + rule->ranges, rule->nranges * sizeof(struct bc_range));
	hash = digest_rest(hash, policy, rule);
	/* FNV's upper bits are its weakest; ids are made of them. */
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

bool bc_rule_same(const struct bc_policy *left_policy, const struct bc_rule *left, const struct bc_policy *right_policy,
		  const struct bc_rule *right)
{
	const uint32_t clauses = BC_CLAUSE_PROTO | BC_CLAUSE_ADDR | BC_CLAUSE_TO | BC_CLAUSE_HIDDEN | BC_CLAUSE_UNTIL |
				 BC_CLAUSE_LOG | BC_CLAUSE_AUDIT;
	const char *a = bc_policy_path(left_policy, left), *b = bc_policy_path(right_policy, right);

	if (left->verb != right->verb || left->kind != right->kind || left->id != right->id ||
	    left->proto != right->proto || left->any_netns != right->any_netns ||
	    (left->clauses ^ right->clauses) & clauses || left->nranges != right->nranges || !a != !b ||
	    (a && strcmp(a, b)))
		return false;
	if (memcmp(left_policy->ranges + left->ranges, right_policy->ranges + right->ranges,
		   left->nranges * sizeof(*left_policy->ranges)))
		return false;
	if (left->clauses & BC_CLAUSE_ADDR && (left->v4 != right->v4 || left->prefix != right->prefix ||
					       memcmp(left->addr, right->addr, sizeof(left->addr))))
		return false;
	if (left->clauses & BC_CLAUSE_TO &&
	    (left->to_port != right->to_port || left->to_addr != right->to_addr || left->to_v4 != right->to_v4 ||
	     (left->to_addr && memcmp(left->to, right->to, sizeof(left->to)))))
		return false;
	return (!bc_rule_denies(left) || left->err == right->err) &&
	       (!(left->clauses & BC_CLAUSE_UNTIL) || left->until == right->until);
}

uint64_t bc_policy_digest(const struct bc_policy *policy)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < policy->n; i++)
		sum += bc_rule_digest(policy, &policy->rules[i]);
	return sum;
}

ssize_t bc_policy_find(const struct bc_policy *policy, const struct bc_policy *rule_policy, const struct bc_rule *rule)
{
	for (size_t i = 0; i < policy->n; i++)
		if (bc_rule_same(policy, &policy->rules[i], rule_policy, rule))
			return i;
	return -1;
}
