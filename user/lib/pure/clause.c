// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pure/clause.h"

bool bc_word_is(const struct bc_word *word, const char *text)
{
	return strlen(text) == word->len && !memcmp(text, word->text, word->len);
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
	const struct bc_word *word;
	struct bc_rule *rule;
	struct bc_error *reterr;
};

#define clause_fail(in, ...) bc_clause_fail((in)->place, (in)->word, (in)->reterr, __VA_ARGS__)
#define WORD(w) bc_word_precision(w), (w)->text

static int parse_user(const struct clause_input *in)
{
	const struct bc_word *word = in->word;
	uint64_t id;
	int r = bc_parse_number(word->text, word->len, 0, UINT32_MAX - 1, &id);

	in->rule->kind = BC_USER;
	in->rule->column = word->column;
	if (!r) {
		in->rule->id = id;
		return 0;
	}
	if (r == -ERANGE)
		return clause_fail(in, "uid %.*s is out of range (0 to 4294967294)", WORD(word));
	if (!word->len || word->len > 255)
		return clause_fail(in, "a user name has 1 to 255 bytes");
	in->rule->name = bc_policy_string(in->policy, word->text, word->len);
	return in->rule->name ? 0 : bc_fail(in->reterr, -ENOMEM, "out of memory");
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
	if (!addr[0] && !addr[1] && addr[2] == 0xffff && prefix >= 96)
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

static const struct {
	const char *name;
	enum bc_clause clause;
	int (*parse)(const struct clause_input *in);
} clauses[] = {
	{ "user", BC_CLAUSE_USER, parse_user },	   { "port", BC_CLAUSE_PORT, parse_port },
	{ "proto", BC_CLAUSE_PROTO, parse_proto }, { "addr", BC_CLAUSE_ADDR, parse_addr },
	{ "netns", BC_CLAUSE_NETNS, parse_netns }, { "errno", BC_CLAUSE_ERRNO, parse_errno },
};

int bc_clause_parse(struct bc_policy *policy, const struct bc_place *place, const struct bc_word *words, size_t n,
		    size_t *at, struct bc_rule *rule, struct bc_error *reterr)
{
	const struct bc_word *word = &words[*at];

	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++) {
		struct clause_input in = { policy, place, word + 1, rule, reterr };

		if (!bc_word_is(word, clauses[i].name))
			continue;
		if (rule->clauses & clauses[i].clause)
			return bc_clause_fail(place, word, reterr, "a second '%s' in one rule", clauses[i].name);
		if (*at + 1 == n)
			return bc_clause_fail(place, word, reterr, "'%s' wants a value", clauses[i].name);
		rule->clauses |= clauses[i].clause;
		(*at)++;
		return clauses[i].parse(&in);
	}
	return bc_clause_fail(place, word, reterr, "unknown clause '%.*s' (user, port, proto, addr, netns or errno)",
			      WORD(word));
}
