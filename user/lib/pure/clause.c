// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pure/clause.h"
#include "pure/moment.h"
#include "pure/unit.h"

bool bc_word_is(const struct bc_word *word, const char *text)
{
	/* Most words are told from most others by how they begin. */
	return word->len && *text == *word->text && strlen(text) == word->len && !memcmp(text, word->text, word->len);
}

int bc_clause_fail(const struct bc_place *place, const struct bc_word *word, struct bc_error *reterr,
		   const char *format, ...)
{
	const char *whole = word->argument ? word->argument : word->text;
	size_t whole_len = word->argument ? strlen(word->argument) : word->len;
	char text[sizeof(reterr->text)], argument[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (place->line)
		return bc_fail_at(reterr, -EINVAL, place->source, place->line, word->column, "%s", text);
	snprintf(argument, sizeof(argument), "argument '%.*s'", bc_word_cut(whole, whole_len, 64), whole);
	return bc_fail_at(reterr, -EINVAL, argument, 0, 0, "%s", text);
}

/* What a clause's parser works on: its value, and all it may change. */
struct clause_input {
	struct bc_policy *policy;
	const struct bc_place *place;
	const struct bc_word *word; /* the clause's value; of one without a value, the clause itself */
	struct bc_rule *rule;
	struct bc_error *reterr;
};

#define clause_fail(in, ...) bc_clause_fail((in)->place, (in)->word, (in)->reterr, __VA_ARGS__)
#define WORD(w) bc_word_precision(w), (w)->text

static int keep_string(const struct clause_input *in, const char *text, size_t len, uint32_t *ret)
{
	*ret = bc_policy_string(in->policy, text, len);
	return *ret ? 0 : bc_fail(in->reterr, -ENOMEM, "out of memory");
}

/* A user or a group, by name or by number. */
static int parse_account(const struct clause_input *in, enum bc_subject_kind kind, const char *number, const char *name)
{
	const struct bc_word *word = in->word;
	uint64_t id;
	int r = bc_parse_number(word->text, word->len, 0, UINT32_MAX - 1, &id);

	in->rule->kind = kind;
	in->rule->column = word->column;
	if (!r) {
		in->rule->id = id;
		return 0;
	}
	if (r == -ERANGE)
		return clause_fail(in, "%s %.*s is out of range (0 to 4294967294)", number, WORD(word));
	if (!word->len || word->len > 255)
		return clause_fail(in, "a %s name has 1 to 255 bytes", name);
	return keep_string(in, word->text, word->len, &in->rule->name);
}

static int parse_user(const struct clause_input *in)
{
	return parse_account(in, BC_USER, "uid", "user");
}

static int parse_group(const struct clause_input *in)
{
	return parse_account(in, BC_GROUP, "gid", "group");
}

static int parse_unit(const struct clause_input *in)
{
	char text[256];

	in->rule->unit_column = in->word->column;
	if (bc_unit_check(in->word->text, in->word->len, text, sizeof(text)))
		return clause_fail(in, "%s", text);
	return keep_string(in, in->word->text, in->word->len, &in->rule->unit);
}

/* The programs go no deeper. */
_Static_assert(BC_LINE_MAX / 2 <= BC_DEPTH_MAX, "a line can name a cgroup that is too deep");

int bc_check_path(const char *path, size_t len, char *text, size_t size)
{
	const char *end = path + len;

	if (!len || *path != '/') {
		snprintf(text, size, "a cgroup's path begins with / at the root of cgroup2, as in /system.slice");
		return -EINVAL;
	}
	for (const char *part = path + 1, *slash; len > 1 && part <= end; part = slash + 1) {
		slash = memchr(part, '/', end - part) ?: end;
		if (slash == part || (slash == part + 1 && *part == '.') ||
		    (slash == part + 2 && !memcmp(part, "..", 2))) {
			snprintf(text, size,
				 "the path has an empty, '.' or '..' part; write it as /proc/PID/cgroup does");
			return -EINVAL;
		}
		if ((size_t)(slash - part) > BC_NAME_MAX) {
			snprintf(text, size, "'%.*s...' is longer than a cgroup's name can be (%u bytes)",
				 bc_word_cut(part, slash - part, 32), part, BC_NAME_MAX);
			return -EINVAL;
		}
	}
	return 0;
}

static int parse_cgroup(const struct clause_input *in)
{
	char text[256];

	if (bc_check_path(in->word->text, in->word->len, text, sizeof(text)))
		return clause_fail(in, "%s", text);
	return keep_string(in, in->word->text, in->word->len, &in->rule->path);
}

static int add_range(const struct clause_input *in, uint64_t first, uint64_t last)
{
	struct bc_policy *policy = in->policy;
	struct bc_range *ranges;
	size_t i;

	if (bc_grow(&policy->ranges, &policy->ranges_room, policy->nranges + 1))
		return bc_fail(in->reterr, -ENOMEM, "out of memory");
	ranges = policy->ranges + in->rule->ranges;
	for (i = in->rule->nranges; i > 0 && ranges[i - 1].first > first; i--)
		ranges[i] = ranges[i - 1];
	if ((i > 0 && ranges[i - 1].last >= first) || (i < in->rule->nranges && ranges[i + 1].first <= last))
		return clause_fail(in, "port %u is named twice in '%.*s'",
				   (unsigned)(i > 0 && ranges[i - 1].last >= first ? first : ranges[i + 1].first),
				   WORD(in->word));
	ranges[i] = (struct bc_range){ first, last };
	in->rule->nranges++;
	policy->nranges++;
	return 0;
}

static int parse_port_number(const struct clause_input *in, const char *s, size_t len, uint64_t *ret)
{
	uint64_t zero;
	int r = bc_parse_number(s, len, 1, 65535, ret);
	int shown = bc_word_cut(s, len, 32);

	if (r == -ERANGE && !bc_parse_number(s, len, 0, 0, &zero))
		return clause_fail(in, "port 0 lets the kernel choose, and is matched by 'port any' alone");
	if (r == -ERANGE)
		return clause_fail(in, "port %.*s is out of range (1 to 65535)", shown, s);
	if (r)
		return clause_fail(in, "'%.*s' is not a port number (1 to 65535)", shown, s);
	return 0;
}

static int parse_port_item(const struct clause_input *in, const char *item, size_t len)
{
	/* The first character may be the '-' of a number that is not one: part behind it. */
	const char *dash = len > 1 ? memchr(item + 1, '-', len - 1) : NULL;
	uint64_t first, last;
	int r;

	if (!len)
		return clause_fail(in, "the port list '%.*s' has an empty place", WORD(in->word));
	r = parse_port_number(in, item, dash ? (size_t)(dash - item) : len, &first);
	if (r)
		return r;
	last = first;
	if (dash) {
		r = parse_port_number(in, dash + 1, item + len - dash - 1, &last);
		if (r)
			return r;
	}
	if (first > last)
		return clause_fail(in, "the port range %u-%u runs backwards", (unsigned)first, (unsigned)last);
	return add_range(in, first, last);
}

static int parse_port(const struct clause_input *in)
{
	const char *item = in->word->text, *end = item + in->word->len;

	if (bc_word_is(in->word, "any"))
		return add_range(in, 0, UINT16_MAX);
	for (;;) {
		const char *comma = memchr(item, ',', end - item);
		int r = parse_port_item(in, item, (comma ? comma : end) - item);

		if (r || !comma)
			return r;
		item = comma + 1;
	}
}

static int parse_proto(const struct clause_input *in)
{
	if (bc_word_is(in->word, "tcp"))
		in->rule->proto = BC_TCP;
	else if (bc_word_is(in->word, "udp"))
		in->rule->proto = BC_UDP;
	else
		return clause_fail(in, "unknown protocol '%.*s' (tcp or udp)", WORD(in->word));
	return 0;
}

/* Bits set in `addr` beyond the first `prefix` of its 128; clears them. */
static bool clear_host_bits(uint32_t addr[4], unsigned prefix)
{
	bool found = false;

	for (unsigned i = 0; i < 4; i++) {
		unsigned kept = prefix <= 32 * i ? 0 : prefix >= 32 * i + 32 ? 32 : prefix - 32 * i;
		uint32_t mask = kept ? ~0u << (32 - kept) : 0;

		found |= addr[i] & ~mask;
		addr[i] &= mask;
	}
	return found;
}

static int parse_prefix(const char *slash, size_t len, bool v4, uint8_t *ret_prefix, char *text, size_t size)
{
	uint64_t bits;

	if (!bc_parse_number(slash, len, 0, v4 ? 32 : 128, &bits)) {
		*ret_prefix = v4 ? 96 + bits : bits;
		return 0;
	}
	snprintf(text, size, "prefix length '%.*s' is not a number from 0 to %d, the bits of an IPv%d address",
		 bc_word_cut(slash, len, 16), slash, v4 ? 32 : 128, v4 ? 4 : 6);
	return -EINVAL;
}

int bc_parse_addr(const struct bc_word *word, uint32_t ret_addr[4], bool *ret_v4, uint8_t *ret_prefix, char *text,
		  size_t size)
{
	const char *slash = memchr(word->text, '/', word->len);
	size_t len = slash ? (size_t)(slash - word->text) : word->len;
	uint32_t wire[4] = { 0, 0, htonl(0xffff) }, addr[4];
	char buffer[INET6_ADDRSTRLEN] = "";
	struct bc_text fixed = {};
	uint8_t prefix = 128;
	bool v4;

	if (len < sizeof(buffer))
		memcpy(buffer, word->text, len);
	v4 = inet_pton(AF_INET, buffer, &wire[3]) == 1;
	if (!v4 && inet_pton(AF_INET6, buffer, wire) != 1) {
		snprintf(text, size, "'%.*s' is not an IPv4 or IPv6 address", bc_word_cut(word->text, len, 64),
			 word->text);
		return -EINVAL;
	}
	if (slash && parse_prefix(slash + 1, word->text + word->len - slash - 1, v4, &prefix, text, size))
		return -EINVAL;
	for (int i = 0; i < 4; i++)
		addr[i] = ntohl(wire[i]);
	/* ::ffff:a.b.c.d is a.b.c.d; a prefix that reaches beyond the mapped block is IPv6. */
	if (bc_addr_is_v4(addr) && prefix >= 96)
		v4 = true;
	if (clear_host_bits(addr, prefix)) {
		bc_format_addr(&fixed, addr, v4, prefix);
		snprintf(text, size, "the address has bits set behind its prefix; did you mean %s?",
			 fixed.data ? fixed.data : "?");
		bc_text_done(&fixed);
		return -EINVAL;
	}
	memcpy(ret_addr, addr, sizeof(addr));
	*ret_v4 = v4;
	*ret_prefix = prefix;
	return 0;
}

static int parse_addr(const struct clause_input *in)
{
	char text[256];

	if (bc_parse_addr(in->word, in->rule->addr, &in->rule->v4, &in->rule->prefix, text, sizeof(text)))
		return clause_fail(in, "%s", text);
	return 0;
}

static int parse_netns(const struct clause_input *in)
{
	if (!bc_word_is(in->word, "host") && !bc_word_is(in->word, "any"))
		return clause_fail(in, "unknown network namespace '%.*s' (host or any)", WORD(in->word));
	in->rule->any_netns = bc_word_is(in->word, "any");
	return 0;
}

static int parse_errno(const struct clause_input *in)
{
	in->rule->err = bc_errno_by_name(in->word->text, in->word->len);
	if (!in->rule->err)
		return clause_fail(in, "unknown errno '%.*s' (EACCES, EADDRINUSE, EADDRNOTAVAIL or EPERM)",
				   WORD(in->word));
	return 0;
}

/* The address of a rewrite, in brackets or without. */
static int parse_to_addr(const struct clause_input *in, const char *addr, size_t len)
{
	const struct bc_word word = { .text = addr, .len = len };
	struct bc_rule *rule = in->rule;
	uint8_t prefix;
	char text[256];

	if (memchr(addr, '/', len))
		return clause_fail(in, "a rewrite leads to one address, not to a prefix");
	if (bc_parse_addr(&word, rule->to, &rule->to_v4, &prefix, text, sizeof(text)))
		return clause_fail(in, "%s", text);
	rule->to_addr = true;
	return 0;
}

/* [IP][:PORT]; an IPv6 address before a port stands in brackets. */
static int parse_to(const struct clause_input *in)
{
	const char *text = in->word->text, *end = text + in->word->len, *colon = NULL, *close = NULL;
	uint64_t port;
	int r = 0;

	if (text == end)
		return clause_fail(in, "'to' wants an address, a :PORT, or both");
	if (*text == '[') {
		close = memchr(text, ']', end - text);
		if (!close || (close + 1 < end && close[1] != ':'))
			return clause_fail(in, "'%.*s' is not [IPV6]:PORT", WORD(in->word));
		colon = close + 1 < end ? close + 1 : NULL;
		r = parse_to_addr(in, text + 1, close - text - 1);
		if (!r && in->rule->to_v4 && !memchr(text, ':', close - text))
			return clause_fail(in, "brackets are for IPv6 addresses");
	} else {
		colon = memchr(text, ':', end - text);
		/* Two colons make an IPv6 address, ... */
		if (colon && memchr(colon + 1, ':', end - colon - 1))
			colon = NULL;
		/* ... and an address may be left out. */
		if (colon != text)
			r = parse_to_addr(in, text, (colon ?: end) - text);
	}
	if (r || !colon)
		return r;
	if (bc_parse_number(colon + 1, end - colon - 1, 1, 65535, &port))
		return clause_fail(in, "'%.*s' does not end in a port that a rewrite can lead to (1 to 65535)",
				   WORD(in->word));
	in->rule->to_port = port;
	return 0;
}

static int parse_until(const struct clause_input *in)
{
	char text[256];

	if (bc_parse_moment(in->word->text, in->word->len, in->place->base, &in->rule->until, &in->rule->relative, text,
			    sizeof(text)))
		return clause_fail(in, "%s", text);
	return 0;
}

static const struct {
	const char *name;
	enum bc_clause clause;
	int (*parse)(const struct clause_input *in); /* NULL: it has no value */
} clauses[] = {
	{ "user", BC_CLAUSE_USER, parse_user },	   { "group", BC_CLAUSE_GROUP, parse_group },
	{ "unit", BC_CLAUSE_UNIT, parse_unit },	   { "cgroup", BC_CLAUSE_CGROUP, parse_cgroup },
	{ "port", BC_CLAUSE_PORT, parse_port },	   { "proto", BC_CLAUSE_PROTO, parse_proto },
	{ "addr", BC_CLAUSE_ADDR, parse_addr },	   { "netns", BC_CLAUSE_NETNS, parse_netns },
	{ "to", BC_CLAUSE_TO, parse_to },	   { "errno", BC_CLAUSE_ERRNO, parse_errno },
	{ "until", BC_CLAUSE_UNTIL, parse_until }, { "log", BC_CLAUSE_LOG, NULL },
	{ "audit", BC_CLAUSE_AUDIT, NULL },
};

/* Which clause the word begins; ARRAY_SIZE(clauses): none. */
static size_t find_clause(const struct bc_word *word)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(clauses) && !bc_word_is(word, clauses[i].name))
		i++;
	return i;
}

/* How many words there are of the clause `i`, as find_clause() gives it. */
static size_t count_words(size_t i, const struct bc_word *words, size_t n, size_t at)
{
	if (i == ARRAY_SIZE(clauses) || !clauses[i].parse)
		return 1;
	/* `hidden` is a part of what stands before it. */
	return clauses[i].clause == BC_CLAUSE_TO && at + 2 < n && bc_word_is(&words[at + 2], "hidden") ? 3 : 2;
}

size_t bc_clause_words(const struct bc_word *words, size_t n, size_t at)
{
	return count_words(find_clause(&words[at]), words, n, at);
}

static int unknown_clause(const struct bc_place *place, const struct bc_word *word, struct bc_error *reterr)
{
	if (bc_word_is(word, "hidden"))
		return bc_clause_fail(place, word, reterr, "'hidden' stands behind 'to' and its value");
	return bc_clause_fail(place, word, reterr,
			      "unknown clause '%.*s' (user, group, unit, cgroup, port, proto, addr, netns, to, errno, "
			      "until, log or audit)",
			      WORD(word));
}

int bc_clause_parse(struct bc_policy *policy, const struct bc_place *place, const struct bc_word *words, size_t n,
		    size_t *at, struct bc_rule *rule, struct bc_error *reterr)
{
	const struct bc_word *word = &words[*at];
	struct clause_input in = { policy, place, word + 1, rule, reterr };
	size_t i = find_clause(word), taken = count_words(i, words, n, *at);

	if (i == ARRAY_SIZE(clauses))
		return unknown_clause(place, word, reterr);
	if (rule->clauses & clauses[i].clause)
		return bc_clause_fail(place, word, reterr, "a second '%s' in one rule", clauses[i].name);
	rule->clauses |= clauses[i].clause;
	if (!clauses[i].parse)
		return 0;
	if (*at + 1 == n)
		return bc_clause_fail(place, word, reterr, "'%s' wants a value", clauses[i].name);
	if (taken == 3)
		rule->clauses |= BC_CLAUSE_HIDDEN;
	*at += taken - 1;
	return clauses[i].parse(&in);
}
