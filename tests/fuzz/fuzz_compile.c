// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A policy, as text, through the compiler and back. What comes back must be the same rules, and decide the same; and
 * what decides must be the rule that a plain look at all of them finds. Lines with a fault count for nothing, so that
 * any text is a policy, and a finding is a file for `bindctl check`; the mutator writes whole rules.
 */
#include "fuzz.h"
#include "pure/decompile.h"
#include "pure/diff.h"
#include "pure/lint.h"
#include "pure/verify.h"

/*
 * Clauses and values that rules are written with. In a value '%' is a number from 1 to 40, the next one being a little
 * more, and '!' a cgroup's name of a length that matters.
 */
static const struct {
	const char *name;
	const char *verbs; /* the only ones that take it; NULL: all */
	unsigned one_in;   /* rules */
	unsigned instead;  /* of these clauses one at most; 0: no such choice */
	const char *values[14];
} clauses[] = {
	{ "user", NULL, 3, 1, { "alice", "bob", "\"a b\"", "0", "1000", "4294967294" } },
	{ "group", NULL, 2, 1, { "alice", "web", "\"a b\"", "0", "1", "1000", "4294967294" } },
	{ "unit",
	  NULL,
	  6,
	  2,
	  { "web.service", "a.slice", "a-b.slice", "a-b-a.slice", "-.slice", "u.service", "u@1.service",
	    "user@0.service", "cpu.service", "_b.scope", "a\\x2db.mount" } },
	{ "cgroup",
	  NULL,
	  2,
	  2,
	  { "/", "/a", "/a/b", "/a/b/a", "/a/b/b", "/ab", "/b", "/!", "/!/!", "/a/!", "/!/b", "\"/a /b\"",
	    "/a.slice/a-b.slice", "/system.slice/web.service" } },
	{ "port", NULL, 1, 0, { "%", "%", "%-%", "%-%", "%-%", "1,%,41", "%-%,50-60,70", "1-1023", "any", "65535" } },
	{ "proto", NULL, 3, 0, { "tcp", "udp" } },
	{ "addr",
	  NULL,
	  2,
	  0,
	  { "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0", "0.0.0.0/0", "::", "::/0", "::1" } },
	{ "netns", NULL, 4, 0, { "any", "host" } },
	{ "to",
	  "rewrite",
	  1,
	  0,
	  { ":%", "127.0.0.1", "127.0.0.1:%", "::1", "[::1]:%", "[::ffff:10.0.0.1]:%", ":% hidden", "::1 hidden" } },
	{ "errno", "deny reserve", 3, 0, { "EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EPERM" } },
	{ "until",
	  NULL,
	  4,
	  0,
	  { "2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000000001Z", "2026-11-24T09:59:59.999999999Z", "+10m",
	    "+9m59s", "+10m1s", "2026-11-24T12:00:00+02:00", "1970-01-01T00:00:00Z",
	    "2261-12-31T23:59:59.999999999Z" } },
	{ "log", NULL, 5, 0, { "" } },
	{ "audit", "deny reserve", 4, 0, { "" } },
};
static const char *const verbs[] = { "grant", "allow", "deny", "rewrite", "reserve" };
static const char mode[] = "mode audit\n";

/* Parts of a name have 32 bytes, and it has at most 255; a few of one length differ in one byte. */
static void add_name(struct bc_text *line, uint64_t *seed)
{
	static const uint8_t lens[] = { 1, 7, 8, 31, 32, 33, 63, 64, 65, 254, 255 };
	unsigned len = lens[fuzz_below(seed, ARRAY_SIZE(lens))];
	unsigned other = fuzz_below(seed, 2) ? len - 1 : fuzz_below(seed, len);

	for (unsigned i = 0; i < len; i++)
		bc_text_addf(line, "%s", i == other && fuzz_below(seed, 2) ? "o" : "n");
}

static void add_value(struct bc_text *line, const char *value, uint64_t *seed)
{
	unsigned number = 1 + fuzz_below(seed, 40);

	for (; *value; value++) {
		if (*value == '%') {
			bc_text_addf(line, "%u", number);
			number += fuzz_below(seed, 9);
		} else if (*value == '!') {
			add_name(line, seed);
		} else {
			bc_text_add(line, value, 1);
		}
	}
}

static void add_rule(struct bc_text *text, uint64_t *seed)
{
	const char *verb = verbs[fuzz_below(seed, ARRAY_SIZE(verbs))];
	unsigned chosen = 0;

	bc_text_addf(text, "%s", verb);
	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++) {
		size_t n = 0;

		while (n < ARRAY_SIZE(clauses[i].values) && clauses[i].values[n])
			n++;
		if (fuzz_below(seed, clauses[i].one_in) || (clauses[i].verbs && !strstr(clauses[i].verbs, verb)) ||
		    clauses[i].instead & chosen)
			continue;
		chosen |= clauses[i].instead;
		bc_text_addf(text, " %s ", clauses[i].name);
		add_value(text, clauses[i].values[fuzz_below(seed, n)], seed);
	}
	bc_text_add(text, "\n", 1);
}

/*
 * One line becomes none, two, another, or has a new rule before it; the mode comes or goes. Now and then bytes change
 * as libFuzzer likes.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	uint64_t chance = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	size_t at = fuzz_below(&chance, size + 1), end, len, skip = 0;
	unsigned change = fuzz_below(&chance, 8);
	const char *newline;

	if (change == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	if (!fuzz_below(&chance, 16)) {
		if (size >= strlen(mode) && !memcmp(data, mode, strlen(mode)))
			skip = strlen(mode);
		else
			bc_text_addf(&text, "%s", mode);
	}
	while (at > skip && data[at - 1] != '\n')
		at--;
	at = at < skip ? skip : at;
	newline = memchr(data + at, '\n', size - at);
	end = newline ? (size_t)(newline + 1 - (const char *)data) : size;
	bc_text_add(&text, (const char *)data + skip, at - skip);
	if (change > 2)
		add_rule(&text, &chance);
	if (change == 1 || change > 5)
		bc_text_add(&text, (const char *)data + at, end - at);
	if (change == 1)
		bc_text_add(&text, (const char *)data + at, end - at);
	bc_text_add(&text, (const char *)data + end, size - end);
	len = text.len < max_size ? text.len : max_size;
	if (len)
		memcpy(data, text.data, len);
	return len;
}

/* A rule that holds for a bind, and what makes it nearer than another: less goes first, from left to right. */
struct found {
	int rule; /* -1: none */
	int verdict;
	int rank[7];
};

static bool addr_holds(const struct bc_rule *rule, const uint32_t addr[4], bool v4)
{
	if (!(rule->clauses & BC_CLAUSE_ADDR))
		return true;
	for (unsigned bit = 0; bit < rule->prefix; bit++)
		if ((rule->addr[bit / 32] ^ addr[bit / 32]) >> (31 - bit % 32) & 1)
			return false;
	return rule->v4 == v4;
}

static bool subject_holds(const struct bc_policy *policy, const struct bc_rule *rule, const struct bc_question *asked)
{
	const char *path = bc_policy_path(policy, rule);
	size_t len = path ? strlen(path) : 0;
	bool member = asked->gid == rule->id;

	if (path &&
	    (!asked->cgroup || strncmp(path, asked->cgroup, len) || (asked->cgroup[len] && asked->cgroup[len] != '/')))
		return false;
	for (size_t i = 0; i < asked->ngroups; i++)
		member |= asked->groups[i] == rule->id;
	return rule->kind == BC_USER ? rule->id == asked->uid : rule->kind == BC_GROUP ? member : true;
}

static bool conditions_hold(const struct bc_rule *rule, const struct bc_question *asked, const uint32_t addr[4],
			    bool v4)
{
	return rule->proto & asked->proto && (rule->any_netns || asked->host_netns) &&
	       (!(rule->clauses & BC_CLAUSE_UNTIL) || asked->now < rule->until) && addr_holds(rule, addr, v4);
}

static int depth(const char *path)
{
	int n = 0;

	for (; path && *path; path++)
		n += *path == '/';
	return n;
}

/* Keeps the nearer of *best and the rule. `others`: the rule is a reserve, as it concerns everyone else. */
static void weigh(const struct bc_policy *policy, uint32_t number, bool others, const struct bc_question *asked,
		  struct found *best)
{
	const struct bc_rule *rule = &policy->rules[number];
	const struct bc_range *range = policy->ranges + rule->ranges;
	int verdict = others ? BC_DENY : (int)bc_verb_verdict(rule->verb), i = 0;
	struct found found;

	while (i < (int)rule->nranges && (asked->port < range->first || range->last < asked->port))
		i++, range++;
	if (i == (int)rule->nranges || (verdict == BC_DENY && rule->clauses & BC_CLAUSE_AUDIT))
		return;
	found = (struct found){ number,
				verdict,
				{ others ? 0 : -depth(bc_policy_path(policy, rule)), others ? BC_ANYONE : rule->kind,
				  range->last - range->first, rule->clauses & BC_CLAUSE_ADDR ? -1 - rule->prefix : 0,
				  !(rule->clauses & BC_CLAUSE_PROTO), verdict, number } };
	for (i = 0; best->rule >= 0 && i < 7 && found.rank[i] == best->rank[i]; i++)
		;
	if (best->rule < 0 || (i < 7 && found.rank[i] < best->rank[i]))
		*best = found;
}

static struct found look_at_all(const struct bc_policy *policy, const struct bc_question *asked, const uint32_t addr[4],
				bool v4)
{
	struct found best = { .rule = -1, .verdict = BC_NONE };

	for (uint32_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];

		if (!conditions_hold(rule, asked, addr, v4))
			continue;
		if (subject_holds(policy, rule, asked))
			weigh(policy, i, false, asked, &best);
		/* Of a reserve for everyone there are no others. */
		if (rule->verb == BC_VERB_RESERVE && (rule->kind != BC_ANYONE || bc_policy_path(policy, rule)))
			weigh(policy, i, true, asked, &best);
	}
	return best;
}

/* The same answer from the image, from one made of what came back, and from all rules one by one. */
static void ask(const struct bc_policy *policy, const struct bc_cells *image, const struct bc_cells *again,
		const struct bc_question *asked)
{
	_cleanup_(bc_answer_done) struct bc_answer answer = {}, second = {};
	const uint32_t wildcard4[4] = { 0, 0, 0xffff, 0 }, *addr = asked->addr;
	struct found found = look_at_all(policy, asked, addr, asked->v4);

	if (!asked->v4 && !asked->v6only && !(addr[0] | addr[1] | addr[2] | addr[3])) {
		struct found v4 = look_at_all(policy, asked, wildcard4, true);

		if (v4.verdict < found.verdict ||
		    (v4.verdict == BC_REWRITE && found.verdict == BC_REWRITE && v4.rule < found.rule))
			found = v4;
	}
	require(!bc_decide_image(image, asked, &answer));
	require(!bc_decide_image(again, asked, &second));
	require(answer.verdict == second.verdict && answer.rule == second.rule && answer.err == second.err);
	require((int)answer.verdict == found.verdict);
	require(answer.rule == (found.rule < 0 ? BC_RULE_NONE : (uint32_t)found.rule));
	require(answer.err == (answer.verdict == BC_DENY ? policy->rules[found.rule].err : 0));
	for (size_t i = 0; i < answer.ntried; i++)
		require(answer.tried[i].rule < policy->n);
	if (!answer.both && answer.rule != BC_RULE_NONE)
		require(answer.ntried && answer.tried[answer.ntried - 1].rule == answer.rule &&
			!answer.tried[answer.ntried - 1].failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, back = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {}, again = {};
	_cleanup_(bc_diff_done) struct bc_diff diff = {};
	uint64_t seed = fuzz_seed(data, size);
	struct fuzz_bind bind;

	fuzz_policy(&policy, data, size);
	fuzz_compile(&image, &policy);
	require(!bc_lint(&policy, &image, FUZZ_NOW, &report));
	require(!bc_decompile(&image, &back, NULL));
	require(bc_policy_digest(&back) == bc_policy_digest(&policy));
	require(!bc_image_verify(&image, &back, NULL));
	require(!bc_diff(&policy, &back, &diff));
	require(!diff.nadded && !diff.nremoved);
	require(back.n == policy.n);
	for (size_t i = 0; i < back.n && i < 64; i++) {
		require(fuzz_same(&back, &back.rules[i], &policy, &policy.rules[i]));
		require(back.rules[i].line == policy.rules[i].line && !back.rules[i].unit == !policy.rules[i].unit);
		fuzz_read_again(&back, &back.rules[i]);
	}
	fuzz_compile(&again, &back);
	for (int i = 0; i < 32; i++) {
		fuzz_question(&bind, &policy, image.cells[0].header.seed, &seed);
		ask(&policy, &image, &again, &bind.asked);
	}
	return 0;
}
