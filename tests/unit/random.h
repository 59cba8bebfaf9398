// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random policies and random binds, from small tables that the includer chooses, so that rules overlap in every way
 * and binds meet them; and how a policy on which two evaluators differ is made small.
 *
 * For the unit tests and the kernel's: includes nothing but the library's headers. What cannot happen aborts.
 */
#ifndef BINDCTL_RANDOM_H
#define BINDCTL_RANDOM_H

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pure/decide.h"
#include "pure/moment.h"
#include "pure/policy.h"

/* What rules and binds are made of. An empty table leaves out what would be drawn from it; users must not be. */
struct random_tables {
	const uint32_t *users; /* uids, of rules and of binds */
	size_t nusers;
	const uint32_t *groups; /* gids, likewise */
	size_t ngroups;
	const char *const *names; /* of cgroups: a path is `base` and up to `depth` of them */
	size_t nnames;
	const char *base; /* "", or a path without a slash at its end */
	unsigned depth;	  /* of rules' paths; binds come from up to one deeper, */
	bool flat;	  /* or not, because those cgroups are not there */
	const char *const *units;
	size_t nunits;
	struct bc_range ports; /* that ranges begin in */
	const uint16_t *far;   /* other ports of binds, 0 among them if the includer likes */
	size_t nfar;
	const char *const *prefixes; /* of `addr` */
	size_t nprefixes;
	const char *const *addrs; /* of binds */
	size_t naddrs;
	const char *const *targets; /* of `to` */
	size_t ntargets;
	int64_t now;
	const int64_t *untils; /* from now: nanoseconds */
	size_t nuntils;
	bool host, other; /* whether binds come from the initial network namespace, and from another one */
};

#define RANDOM_TABLE(t) .t = random_##t, .n##t = ARRAY_SIZE(random_##t)
#define RANDOM_SUPPLEMENTARY 4 /* groups of a bind at most, the effective one aside */
#define RANDOM_PATH 4096

/* A bind; its question points into it, so it is not to be copied. */
struct random_bind {
	struct bc_question question;
	uint32_t groups[RANDOM_SUPPLEMENTARY];
	char cgroup[RANDOM_PATH];
};

/* A small generator of its own, so that a seed means the same everywhere. The state is never zero. */
static inline uint32_t random_below(uint64_t *state, uint32_t end)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 16) % end;
}

/* The state that the n-th of many begins with. */
static inline uint64_t random_state(uint64_t seed, uint64_t n)
{
	uint64_t state = (seed + n * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	return (state ^ state >> 31) | 1;
}

#define random_of(state, t, table) ((t)->table[random_below(state, (t)->n##table)])

/* An address in text to words; true for IPv4. */
static inline bool random_addr(const char *text, uint32_t addr[4])
{
	uint32_t wire[4] = { 0, 0, htonl(0xffff) };
	bool v4 = inet_pton(AF_INET, text, &wire[3]) == 1;

	if (!v4 && inet_pton(AF_INET6, text, wire) != 1)
		abort();
	for (int i = 0; i < 4; i++)
		addr[i] = ntohl(wire[i]);
	/* As the programs see it: ::ffff:a.b.c.d is a.b.c.d. */
	return v4 || (!addr[0] && !addr[1] && addr[2] == 0xffff);
}

static inline void random_ports(uint64_t *state, const struct random_tables *t, struct bc_text *text)
{
	unsigned span = t->ports.last - t->ports.first + 1u, n = 1 + random_below(state, 3), port = t->ports.first;

	if (!random_below(state, 8)) {
		bc_text_addf(text, " port any");
		return;
	}
	port += random_below(state, span);
	for (unsigned i = 0; i < n; i++) {
		unsigned first = port, last = first + (random_below(state, 2) ? 0 : random_below(state, span / 3 + 1));

		if (!random_below(state, 20) || last > 65535)
			last = 65535;
		bc_text_addf(text, i ? "," : " port ");
		bc_text_addf(text, first == last ? "%u" : "%u-%u", first, last);
		if (last > 65533 || last >= t->ports.last)
			break;
		port = last + 1 + random_below(state, span / 5 + 1);
	}
}

/* A path below the base, "/" for the root; `depth` names at most. */
static inline void random_path(uint64_t *state, const struct random_tables *t, unsigned depth, char path[RANDOM_PATH])
{
	size_t len = strlen(strcpy(path, t->base));

	for (unsigned n = t->nnames ? random_below(state, depth + 1) : 0; n; n--) {
		const char *name = random_of(state, t, names);

		if (len + strlen(name) + 2 > RANDOM_PATH)
			abort();
		path[len++] = '/';
		len += strlen(strcpy(path + len, name));
	}
	if (!len)
		strcpy(path, "/");
}

static inline void random_word(struct bc_text *text, const char *word)
{
	bc_text_add(text, " \"", 2);
	for (; *word; word++)
		bc_text_addf(text, *word == '"' || *word == '\\' ? "\\%c" : "%c", *word);
	bc_text_add(text, "\"", 1);
}

/* `subject`: a rule of the verb must have one. */
static inline void random_subject(uint64_t *state, const struct random_tables *t, bool subject, struct bc_text *text)
{
	unsigned kind = random_below(state, t->ngroups ? 3 : 2);
	char path[RANDOM_PATH];

	if (kind == 1)
		bc_text_addf(text, " user %u", random_of(state, t, users));
	else if (kind == 2)
		bc_text_addf(text, " group %u", random_of(state, t, groups));
	if (t->nunits && !random_below(state, 8)) {
		bc_text_addf(text, " unit ");
		random_word(text, random_of(state, t, units));
	} else if ((!kind && subject) || (t->nnames && random_below(state, 2))) {
		random_path(state, t, t->depth, path);
		bc_text_addf(text, " cgroup");
		random_word(text, path);
	}
}

/* One rule, a line. */
static inline void random_rule(uint64_t *state, const struct random_tables *t, struct bc_text *text)
{
	static const char *const verbs[] = { "grant", "grant", "allow", "deny", "deny", "reserve", "rewrite" };
	static const char *const errnos[] = { "EACCES", "EPERM", "EADDRINUSE", "EADDRNOTAVAIL" };
	unsigned verb = random_below(state, ARRAY_SIZE(verbs) - !t->ntargets);
	bool denies = verb >= 3 && verb <= 5;

	bc_text_addf(text, "%s", verbs[verb]);
	random_subject(state, t, verb == 5, text);
	random_ports(state, t, text);
	if (!random_below(state, 3))
		bc_text_addf(text, " proto %s", random_below(state, 2) ? "tcp" : "udp");
	if (t->nprefixes && !random_below(state, 3))
		bc_text_addf(text, " addr %s", random_of(state, t, prefixes));
	/* Where binds come from another namespace alone, a rule of the host says nothing. */
	if (t->host ? !random_below(state, 3) : random_below(state, 20))
		bc_text_addf(text, " netns any");
	if (verb == 6)
		bc_text_addf(text, " to %s%s", random_of(state, t, targets), random_below(state, 3) ? "" : " hidden");
	if (denies && random_below(state, 2))
		bc_text_addf(text, " errno %s", errnos[random_below(state, ARRAY_SIZE(errnos))]);
	if (t->nuntils && !random_below(state, 4)) {
		bc_text_addf(text, " until ");
		bc_format_moment(text, t->now + random_of(state, t, untils));
	}
	bc_text_addf(text, "%s%s\n", random_below(state, 6) ? "" : " log",
		     denies && !random_below(state, 4) ? " audit" : "");
	if (text->failed)
		abort();
}

static inline void random_policy(uint64_t *state, const struct random_tables *t, unsigned rules, struct bc_text *text)
{
	while (rules--)
		random_rule(state, t, text);
}

static inline void random_ask(uint64_t *state, const struct random_tables *t, struct random_bind *ret)
{
	unsigned port = t->ports.first + random_below(state, t->ports.last - t->ports.first + 1u);
	struct bc_question *question = &ret->question;

	*question = (struct bc_question){
		.uid = random_of(state, t, users),
		/* Of no group that rules speak of, now and then. */
		.gid = t->ngroups && random_below(state, 4) ? random_of(state, t, groups) : 0xfffffff0,
		.port = t->nfar && !random_below(state, 8) ? random_of(state, t, far) : port,
		.proto = random_below(state, 2) ? BC_TCP : BC_UDP,
		.v6only = !random_below(state, 3),
		.host_netns = t->host && (!t->other || random_below(state, 3)),
		.groups = ret->groups,
		.ngroups = t->ngroups ? random_below(state, RANDOM_SUPPLEMENTARY + 1) : 0,
		.cgroup = ret->cgroup,
		.now = t->now,
	};
	question->v4 = random_addr(random_of(state, t, addrs), question->addr);
	for (size_t i = 0; i < question->ngroups; i++)
		ret->groups[i] = random_of(state, t, groups);
	random_path(state, t, t->depth + !t->flat, ret->cgroup);
}

/* For people. */
static inline void random_describe(struct bc_text *text, const struct bc_question *q)
{
	bc_text_addf(text, "uid %u gid %u groups", q->uid, q->gid);
	for (size_t i = 0; i < q->ngroups; i++)
		bc_text_addf(text, "%c%u", i ? ',' : ' ', q->groups[i]);
	bc_text_addf(text, "%s cgroup %s %s addr ", q->ngroups ? "" : " none", q->cgroup ? q->cgroup : "/",
		     q->proto == BC_TCP ? "tcp" : "udp");
	bc_format_addr(text, q->addr, q->v4, 128);
	bc_text_addf(text, " port %u%s netns %s at ", q->port, q->v6only ? " v6only" : "",
		     q->host_netns ? "host" : "other");
	bc_format_moment(text, q->now);
}

/* The text without its line `skip`, from 0; malloc'ed. NULL when it has no such line. */
static inline char *random_without(const char *text, unsigned skip)
{
	const char *line = text;
	char *left;

	for (; *line && skip; skip--)
		line += strcspn(line, "\n") + 1;
	if (!*line)
		return NULL;
	left = strdup(text);
	if (!left)
		abort();
	strcpy(left + (line - text), line + strcspn(line, "\n") + 1);
	return left;
}

/*
 * Takes out lines as long as `differs` says that the difference is still there; the rest, malloc'ed. Every line ends
 * with a newline. `differs` must take any such text.
 */
static inline char *random_minimise(const char *text, bool (*differs)(const char *text, void *ctx), void *ctx)
{
	char *smallest = strdup(text), *less;
	bool smaller = true;

	while (smaller) {
		smaller = false;
		for (unsigned line = 0; (less = random_without(smallest, line));) {
			bool still = differs(less, ctx);

			free(still ? smallest : less);
			smallest = still ? less : smallest;
			smaller |= still;
			line += !still;
		}
	}
	return smallest;
}

#endif
