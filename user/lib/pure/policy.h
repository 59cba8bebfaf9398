/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bind policy as values: the rules of all files, in the order they were read. Made by parse (from text) or by
 * decompile (from an image), completed by resolve, read by everything else.
 */
#ifndef BINDCTL_POLICY_H
#define BINDCTL_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/util.h"
#include "bindctl/abi.h"

enum bc_verb {
	BC_VERB_GRANT = 1,
	BC_VERB_ALLOW,
	BC_VERB_DENY,
	BC_VERB_REWRITE,
	BC_VERB_RESERVE, /* a grant to its subject, and a deny to everyone else */
};

/* Which clauses a rule was written with. */
enum bc_clause {
	BC_CLAUSE_USER = 1u << 0,
	BC_CLAUSE_PORT = 1u << 1,
	BC_CLAUSE_PROTO = 1u << 2,
	BC_CLAUSE_ADDR = 1u << 3,
	BC_CLAUSE_NETNS = 1u << 4,
	BC_CLAUSE_ERRNO = 1u << 5,
	BC_CLAUSE_GROUP = 1u << 6,
	BC_CLAUSE_UNIT = 1u << 7,
	BC_CLAUSE_CGROUP = 1u << 8,
	BC_CLAUSE_TO = 1u << 9,
	BC_CLAUSE_HIDDEN = 1u << 10, /* part of `to` */
	BC_CLAUSE_UNTIL = 1u << 11,
	BC_CLAUSE_LOG = 1u << 12,
	BC_CLAUSE_AUDIT = 1u << 13,
};

/* Ports first to last, both included. 0 to 65535 is `any`; no other range holds port 0. */
struct bc_range {
	uint16_t first;
	uint16_t last;
};

/* Whether one of them holds the port. */
static inline bool bc_ranges_hold(const struct bc_range *ranges, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].first <= port && port <= ranges[i].last)
			return true;
	return false;
}

struct bc_rule {
	uint8_t verb;	  /* enum bc_verb */
	uint8_t kind;	  /* enum bc_subject_kind */
	uint8_t proto;	  /* enum bc_proto, a mask; both bits unless BC_CLAUSE_PROTO */
	uint8_t prefix;	  /* with BC_CLAUSE_ADDR: bits of 128; an IPv4 prefix counts from 96 */
	bool v4;	  /* with BC_CLAUSE_ADDR: of IPv4 */
	bool any_netns;	  /* holds in every network namespace, not the initial one alone */
	bool relative;	  /* `until` was written as a time from now */
	bool to_addr;	  /* with BC_CLAUSE_TO: to the address `to`, which is ... */
	bool to_v4;	  /* ... of IPv4 */
	uint16_t to_port; /* with BC_CLAUSE_TO: 0 to keep the port */
	uint16_t err;	  /* of a deny or reserve: the errno */
	uint32_t clauses; /* enum bc_clause */
	uint32_t id;	  /* the user's or group's number, once resolved; 0 for anyone */
	uint32_t name;	  /* its name as written, in policy->strings; 0: written as a number */
	uint32_t unit;	  /* with BC_CLAUSE_UNIT: its name, in policy->strings */
	uint32_t path;	  /* its cgroup from the root, "/a/b", in policy->strings; 0: none. A unit's: once resolved */
	uint32_t ranges;  /* first of its ranges in policy->ranges: ascending and disjoint */
	uint32_t nranges;
	uint32_t source;      /* index into policy->sources */
	uint32_t line;	      /* from 1; 0: not from a file */
	uint32_t column;      /* of the user or group, for errors about it */
	uint32_t unit_column; /* of the unit, likewise */
	uint32_t addr[4];     /* as in bindctl/abi.h */
	uint32_t to[4];
	int64_t until; /* with BC_CLAUSE_UNTIL: nanoseconds of Unix time */
};

/* Owns everything it points to. Zero-initialised is empty. */
struct bc_policy {
	struct bc_rule *rules;
	size_t n;
	size_t room;
	struct bc_range *ranges;
	size_t nranges;
	size_t ranges_room;
	struct bc_text strings; /* NUL-terminated names; offset 0 is unused */
	char **sources;
	size_t nsources;
	size_t sources_room;
};

void bc_policy_done(struct bc_policy *policy);

/* Interns a source's name; -ENOMEM, or -E2BIG beyond 65,535 sources. */
int bc_policy_source(struct bc_policy *policy, const char *name, uint32_t *ret_source);

/* Copies a name into `strings`; the offset, or 0 without memory. The same name again gets the same offset if it was
 * the last one added. */
uint32_t bc_policy_string(struct bc_policy *policy, const char *name, size_t len);

static inline const char *bc_policy_name(const struct bc_policy *policy, const struct bc_rule *rule)
{
	return rule->name ? policy->strings.data + rule->name : NULL;
}

/* The rule's cgroup; NULL for a rule that names none, or the root. */
static inline const char *bc_policy_path(const struct bc_policy *policy, const struct bc_rule *rule)
{
	const char *path = rule->path ? policy->strings.data + rule->path : NULL;

	return path && path[1] ? path : NULL;
}

/* Whether a cgroup's path, NULL for one that is not known, is that path or below it. Everything is below "/". */
bool bc_path_within(const char *cgroup, const char *path);

static inline const char *bc_policy_source_of(const struct bc_policy *policy, const struct bc_rule *rule)
{
	return rule->source < policy->nsources ? policy->sources[rule->source] : "";
}

/* Whether binds can fail by it: of the verbs, deny and reserve. */
static inline bool bc_rule_denies(const struct bc_rule *rule)
{
	return rule->verb == BC_VERB_DENY || rule->verb == BC_VERB_RESERVE;
}

/* Whether two rewrites lead to the same address and port. */
static inline bool bc_rule_leads_alike(const struct bc_rule *a, const struct bc_rule *b)
{
	return a->to_port == b->to_port && a->to_addr == b->to_addr && !memcmp(a->to, b->to, sizeof(a->to));
}

/* As it is written: `grant`. */
const char *bc_verb_name(enum bc_verb verb);

/* What the verb gives to its subject. */
enum bc_verdict bc_verb_verdict(enum bc_verb verb);

/* The errnos that a deny may give, by name: EACCES, EADDRINUSE, EADDRNOTAVAIL, EPERM. 0 or NULL when it is none. */
int bc_errno_by_name(const char *name, size_t len);
const char *bc_errno_name(int number);

/* A range list as the policy language writes it: `any`, `443`, `80,8000-8100`. */
void bc_format_ports(struct bc_text *text, const struct bc_range *ranges, size_t n);

/* What a rewrite leads to: `:443`, `10.0.0.2`, `[::1]:443`. */
void bc_format_to(struct bc_text *text, const struct bc_rule *rule);

/* Whether an address is one of IPv4, in its mapped form. */
static inline bool bc_addr_is_v4(const uint32_t addr[4])
{
	return !addr[0] && !addr[1] && addr[2] == 0xffff;
}

/* An address or prefix: `10.0.0.0/8`, `::1`. `prefix` counts from 128 bits; a full one is left out. */
void bc_format_addr(struct bc_text *text, const uint32_t addr[4], bool v4, unsigned prefix);

/*
 * A name as one word of policy: bare if the tokenizer would read it back the same, else in quotes. So are names shown that
 * others chose and that stand among words of ours.
 */
void bc_format_word(struct bc_text *text, const char *word);

/* The rule as one line of policy, clauses in one fixed order, without a newline. */
void bc_format_rule(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule);

#define BC_COMMENT "# " /* before a comment, and before a rule that is only proposed */

/* A line of comment. What stands in it, others may have chosen: it is escaped, and cut where it is too long. */
void bc_format_comment(struct bc_text *text, const struct bc_text *line);

/*
 * A number that two rules share when they mean the same: verb, resolved subject, ports and every other clause, but
 * not the file or line. Rules carry its upper half in eight hexadecimal digits as their id. Resolve first.
 */
uint64_t bc_rule_digest(const struct bc_policy *policy, const struct bc_rule *rule);

static inline uint32_t bc_rule_id(uint64_t digest)
{
	return digest >> 32;
}

/* Whether two rules mean the same: what their digests are of, compared. Rules can be made to have one digest. */
bool bc_rule_same(const struct bc_policy *left_policy, const struct bc_rule *left, const struct bc_policy *right_policy,
		  const struct bc_rule *right);

/* The digests of all rules together, whatever their order. */
uint64_t bc_policy_digest(const struct bc_policy *policy);

/* The number of the first rule that means the same, or -1. */
ssize_t bc_policy_find(const struct bc_policy *policy, const struct bc_policy *rule_policy, const struct bc_rule *rule);

#endif
