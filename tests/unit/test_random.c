// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The proof that images mean what the policy says: match.h, which the kernel runs, decides random binds on compiled
 * random policies, and reference.h decides the same binds on the rules.
 *
 * BINDCTL_RANDOM_SEED and BINDCTL_RANDOM_ROUNDS (a multiple of the usual work) are for long runs by hand.
 */
#include "reference.h"
#include "pure/gate.h"
#include "unit.h"

#define BC_CELL(s, n) cell_at((s)->image, n)
#define BC_LOOP(n, fn, ctx) loop(n, fn, ctx)
#define BC_IS_V6ONLY(m) (((const struct bc_question *)(uintptr_t)(m)->socket)->v6only)
#define BC_IN_GROUP(m, gid) is_in_group((const struct bc_question *)(uintptr_t)(m)->socket, gid)
#define BC_NOW(m) ((uint64_t)((const struct bc_question *)(uintptr_t)(m)->socket)->now)
#define BC_TRACE(s, ref, failed) ((void)0)
#define BC_COMPONENT(m, i) name_at((const char *)(uintptr_t)(m)->walk.cgroup, i, &(m)->walk.name)
#define BC_NAME_PART(m, n) part_of((const char *)(uintptr_t)(m)->walk.name, n, &(m)->walk.part)
#define BC_NOINLINE __attribute__((noinline))
#define BC_GLOBAL static BC_NOINLINE

static const union bc_cell *cell_at(const struct bc_cells *image, uint32_t n)
{
	return n < image->n ? &image->cells[n] : NULL;
}

static long loop(uint32_t n, long (*fn)(uint32_t i, void *ctx), void *ctx)
{
	uint32_t i = 0;

	while (i < n && !fn(i, ctx))
		i++;
	return i;
}

static bool is_in_group(const struct bc_question *question, uint32_t gid)
{
	bool found = question->gid == gid;

	for (size_t i = 0; i < question->ngroups; i++)
		found |= question->groups[i] == gid;
	return found;
}

static int name_at(const char *path, uint32_t i, __u64 *ret_name)
{
	for (const char *slash = path; slash[0] == '/' && slash[1]; slash += 1 + strcspn(slash + 1, "/")) {
		if (!i--) {
			*ret_name = (uintptr_t)(slash + 1);
			return 1;
		}
	}
	return 0;
}

static int part_of(const char *name, uint32_t n, union bc_part *part)
{
	size_t len = strcspn(name, "/");

	if (len <= n * BC_PART_SIZE)
		return -EFAULT;
	len -= n * BC_PART_SIZE;
	*part = (union bc_part){};
	memcpy(part->bytes, name + n * BC_PART_SIZE, len < BC_PART_SIZE ? len : BC_PART_SIZE);
	return len > BC_PART_SIZE ? BC_NAME_MORE : (int)len;
}

#include "bindctl/match.h"

/* What stands before the image that is being compared. */
static struct bc_gate gate;

/* What the kernel's program would do with the bind. */
static void ask_image(const struct bc_cells *image, const struct bc_question *question, struct bc_match *m)
{
	struct bc_search s = { .image = (void *)image, .m = m };

	*m = (struct bc_match){
		.addr = { question->addr[0], question->addr[1], question->addr[2], question->addr[3] },
		.socket = (uintptr_t)question,
		.uid = question->uid,
		.port = question->port,
		.proto = question->proto,
		.v4 = question->v4,
		.host = question->host_netns,
		.verdict = BC_NONE,
		.rule = BC_RULE_NONE,
		.audited = BC_RULE_NONE,
	};
	assert_true(bc_open(&s));
	if (!(gate.ports[m->port / 64] >> m->port % 64 & 1)) {
		memset(&m->reply, 0, sizeof(m->reply));
		return;
	}
	m->walk.cgroup = (uintptr_t)question->cgroup;
	if (m->features & BC_F_SCOPE)
		bc_find_scope(&s);
	bc_decide(&s);
	assert_false(m->broken);
}

static bool same_number(uint32_t number, int expected)
{
	return expected < 0 ? number == BC_RULE_NONE : number == (uint32_t)expected;
}

static bool same_reply(const struct bc_policy *policy, const struct bc_question *question,
		       const struct reference_answer *expected, const struct bc_match *m)
{
	const struct bc_reply *reply = &m->reply;
	const struct bc_rule *rule = expected->rule < 0 ? NULL : &policy->rules[expected->rule];
	const uint32_t *to = m->flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6) ? reply->to : question->addr;
	unsigned port = m->flags & BC_RULE_TO_PORT ? reply->to_port : question->port;

	if (expected->v4 != !!reply->v4)
		return false;
	if (rule && !(rule->clauses & BC_CLAUSE_LOG) != !(m->flags & BC_RULE_LOG))
		return false;
	if (rule && bc_is_remarkable(m) && reply->id != bc_rule_id(bc_rule_digest(policy, rule)))
		return false;
	if (expected->audited >= 0 && reply->audit_err != policy->rules[expected->audited].err)
		return false;
	if (expected->verdict != BC_REWRITE)
		return true;
	return port == expected->port && !memcmp(to, expected->addr, sizeof(expected->addr)) &&
	       expected->hidden == !!(m->flags & BC_RULE_HIDDEN);
}

/* `explain` runs the same text behind hooks of its own. */
static bool same_explanation(const struct bc_cells *image, const struct bc_question *question, const struct bc_match *m,
			     int err)
{
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	uint32_t audited = BC_RULE_NONE;

	assert_int_equal(bc_decide_image(image, question, &answer), 0);
	for (size_t i = answer.ntried; i-- > 0;)
		if (answer.tried[i].failed == BC_TRIED_AUDITS)
			audited = answer.tried[i].rule;
	return answer.verdict == m->verdict && answer.rule == m->rule && answer.err == err && audited == m->audited;
}

static bool agree(const struct bc_policy *policy, const struct bc_cells *image, const struct bc_question *question,
		  struct reference_answer *expected, struct bc_match *m)
{
	reference_ask(policy, question, expected);
	ask_image(image, question, m);
	return m->verdict == expected->verdict && same_number(m->rule, expected->rule) &&
	       same_number(m->audited, expected->audited) && (m->verdict != BC_DENY || m->err == expected->err) &&
	       same_reply(policy, question, expected, m) && same_explanation(image, question, m, expected->err);
}

struct disagreement {
	const struct bc_question *question;
	struct reference_answer expected;
	struct bc_match got;
};

static bool differs(const char *text, void *ctx)
{
	struct disagreement *d = ctx;
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	policy_from_text(&policy, text);
	image_from_policy(&image, &policy);
	bc_gate_needs(&image, &gate);
	return !agree(&policy, &image, d->question, &d->expected, &d->got);
}

static void fail_small(uint64_t seed, unsigned number, const char *text, const struct bc_question *question)
{
	struct disagreement d = { .question = question };
	_cleanup_free_ char *small = random_minimise(text, differs, &d);
	_cleanup_(bc_text_done) struct bc_text bind = {};

	random_describe(&bind, question);
	/* The answers to what is left. */
	differs(small, &d);
	fail_msg("seed %#jx, policy %u\n%s%s\nthe image: verdict %u by rule %d, audited %d; the reference: %d by %d, "
		 "audited %d (rules from 0)",
		 (uintmax_t)seed, number, small, bind.data, d.got.verdict, (int)d.got.rule, (int)d.got.audited,
		 d.expected.verdict, d.expected.rule, d.expected.audited);
}

/* How often each verdict was the answer, and what else was to be seen; so that the comparison is one of something. */
struct seen {
	unsigned pairs, verdicts[BC_GRANT + 1], audited, v4, scoped;
};

static uint64_t seed_of(uint64_t usual)
{
	const char *seed = getenv("BINDCTL_RANDOM_SEED");

	return seed ? strtoull(seed, NULL, 0) : usual;
}

static unsigned rounds(unsigned usual)
{
	const char *factor = getenv("BINDCTL_RANDOM_ROUNDS");

	return factor ? usual * strtoul(factor, NULL, 0) : usual;
}

static void compare(uint64_t seed, unsigned policies, unsigned binds, unsigned rules, struct seen *seen)
{
	for (unsigned i = 0; i < policies; i++) {
		uint64_t state = random_state(seed, i);
		_cleanup_(bc_text_done) struct bc_text text = {};
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_cells_done) struct bc_cells image = {};

		random_policy(&state, &unit_tables, 3 + random_below(&state, rules), &text);
		policy_from_text(&policy, text.data);
		image_from_policy(&image, &policy);
		bc_gate_needs(&image, &gate);
		for (unsigned k = 0; k < binds; k++) {
			struct random_bind bind;
			struct reference_answer expected;
			struct bc_match m;

			random_ask(&state, &unit_tables, &bind);
			if (!agree(&policy, &image, &bind.question, &expected, &m))
				fail_small(seed, i, text.data, &bind.question);
			seen->pairs++;
			seen->verdicts[expected.verdict]++;
			seen->audited += expected.audited >= 0;
			seen->v4 += expected.v4;
			seen->scoped += expected.rule >= 0 && bc_policy_path(&policy, &policy.rules[expected.rule]);
		}
	}
}

static void image_and_reference_agree(void **state)
{
	struct seen seen = {};

	(void)state;
	compare(seed_of(0xb1dc71), rounds(22000), 40, 22, &seen);
	compare(seed_of(0x5e6), rounds(300), 500, 300, &seen);
	print_message("# %u pairs of policy and bind compared with the reference, 0 differences\n", seen.pairs);
	print_message(
		"# (%u denied, %u allowed, %u rewritten, %u granted, %u without a rule; %u audited, %u decided for "
		"IPv4, %u by a cgroup's rule)\n",
		seen.verdicts[BC_DENY], seen.verdicts[BC_ALLOW], seen.verdicts[BC_REWRITE], seen.verdicts[BC_GRANT],
		seen.verdicts[BC_NONE], seen.audited, seen.v4, seen.scoped);
	/* None of it so seldom that it would not be missed. */
	for (int i = BC_DENY; i <= BC_GRANT; i++)
		assert_true(seen.verdicts[i] > seen.pairs / 50);
	assert_true(seen.audited > seen.pairs / 50 && seen.v4 > seen.pairs / 500 && seen.scoped > seen.pairs / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_and_reference_agree),
	};

	return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
