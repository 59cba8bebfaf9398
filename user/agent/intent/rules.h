/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of the two kinds of policies, as they were written; ports and addresses are the library's. */
#ifndef BINDCTL_AGENT_RULES_H
#define BINDCTL_AGENT_RULES_H

#include "agent/intent/field.h"
#include "pure/policy.h"

struct prefix {
	uint32_t addr[4]; /* as in bindctl/abi.h */
	uint8_t bits;	  /* of 128 */
	bool v4;
};

/* Where binds are rewritten to. Zero-initialised: nowhere. */
struct target {
	bool has_addr, v4, hidden;
	uint16_t port; /* 0: as asked for */
	uint32_t addr[4];
};

struct rule {
	uint8_t verb;  /* enum bc_verb; of ports that are named and no more, BC_VERB_ALLOW */
	uint8_t proto; /* enum bc_proto, a mask; both bits: none was named */
	bool has_user;
	uint32_t user;
	struct target to;
	uint32_t ranges, nranges;     /* in rules->ranges: ascending and disjoint */
	uint32_t prefixes, nprefixes; /* in rules->prefixes; 0: all addresses */
};

/* Owns what it points to. Zero-initialised is empty. */
struct rules {
	struct rule *items;
	struct bc_range *ranges;
	struct prefix *prefixes;
	size_t n, room;
	size_t nranges, ranges_room;
	size_t nprefixes, prefixes_room;
};

#define RULES_MAX 64	       /* in one list */
#define RULES_PORTS_MAX 64     /* of one rule */
#define RULES_ADDRESSES_MAX 16 /* of one rule */
#define RULES_PAIRS_MAX 1024   /* of a port range and an address, in one list */

/* What a list of rules may hold. */
enum rules_kind {
	RULES_OF_NAMESPACE, /* actions, addresses, users */
	RULES_OF_CLUSTER,   /* the same, but they deny */
	RULES_CEILING,	    /* protocol, ports, addresses */
	RULES_RESERVED,	    /* protocol and ports, but not all ports */
};

/* A list in JSON. 0, -EINVAL with the place, -ENOMEM. */
int rules_parse(const struct field *field, enum rules_kind kind, struct rules *ret, struct bc_error *reterr);
/* Of a list that is wrong, the rules that can be read, each with those of its ports that can. 0 or -ENOMEM. */
int rules_salvage(const struct field *field, enum rules_kind kind, struct rules *ret);
/* "443/tcp,8000-8100". -EINVAL with a sentence in `text`, -ENOMEM. */
int rules_parse_list(const char *list, struct rules *ret, char *text, size_t size);

void rules_done(struct rules *rules);
bool rules_equal(const struct rules *a, const struct rules *b);

#endif
