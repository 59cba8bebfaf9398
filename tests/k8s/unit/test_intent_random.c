// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random clusters and random binds: what the file that is made of the cluster decides, against a plain reading of the rules.
 * BINDCTL_RANDOM_SEED is the seed and BINDCTL_RANDOM_ROUNDS how many times as many clusters.
 */
#include "model_ask.h"

struct seen {
	unsigned binds, unsure, verdicts[BC_GRANT + 1], audited, twins, dual, dual_rewrites;
};

static void random_bind(uint64_t *state, const struct model *model, struct model_bind *bind, char *path, size_t size)
{
	struct bc_question *question = &bind->question;

	bind->pod = random_below(state, 12) ? (int)random_below(state, model->npods) : -1;
	*question = (struct bc_question){
		.uid = model_users[random_below(state, ARRAY_SIZE(model_users))],
		.gid = 5,
		.port = random_below(state, 12) ? 1 + random_below(state, MODEL_PORTS) : random_below(state, 2) * 65535,
		.proto = random_below(state, 2) ? BC_TCP : BC_UDP,
		.v6only = !random_below(state, 3),
		.host_netns = random_below(state, 2),
		.cgroup = path,
	};
	question->v4 = random_addr(model_addrs[random_below(state, ARRAY_SIZE(model_addrs))], question->addr);
	snprintf(path, size, "/system.slice");
	if (bind->pod < 0)
		return;
	/* Most binds are where the pod is. */
	if (random_below(state, 4))
		question->host_netns = model->pods[bind->pod].host;
	model_pod_path(bind->pod, path, size);
	if (random_below(state, 2))
		strcat(path, "/cri-containerd-0");
}

static void differ(uint64_t seed, unsigned number, const struct made *made, const struct model_bind *bind,
		   const char *what, int got, int expected)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	random_describe(&text, &bind->question);
	for (size_t i = 0; i < made->findings.n; i++)
		print_message("# %s %s: %s\n", made->findings.items[i].kind, made->findings.items[i].name,
			      made->findings.items[i].text);
	/* The file last: what is long is cut off. */
	fail_msg("seed %#jx, cluster %u\n%s\n%s: %d, not %d\n%s", (uintmax_t)seed, number, text.data, what, got,
		 expected, made->text.data);
}

/* That a rewrite, be it of a bind of both families, leads to nothing that the pod could not have been given there. */
static void check_place(uint64_t seed, unsigned number, const struct model *model, const struct made *made,
			const struct model_bind *bind)
{
	struct reference_answer answer;
	const uint32_t *to = answer.addr;
	bool v4;

	reference_ask(&made->policy, &bind->question, &answer);
	v4 = !to[0] && !to[1] && to[2] == 0xffff;
	if (!model_may_be_at(model, bind, answer.port, to, v4))
		differ(seed, number, made, bind, "a rewrite leads out, to port", answer.port, 0);
	if (!(to[0] | to[1] | to[2] | to[3]) && !bind->question.v6only &&
	    !model_may_be_at(model, bind, answer.port, model_v4_wildcard, true))
		differ(seed, number, made, bind, "a rewrite takes along 0.0.0.0, port", answer.port, 0);
}

/* That a rewrite leads where the rule that is the nearest says. */
static void check_target(uint64_t seed, unsigned number, const struct made *made, const struct model_bind *bind,
			 const struct model_rule *rule)
{
	struct reference_answer answer;
	uint32_t addr[4];

	reference_ask(&made->policy, &bind->question, &answer);
	memcpy(addr, bind->question.addr, sizeof(addr));
	if (rule->to_addr >= 0)
		random_addr(model_targets[rule->to_addr], addr);
	if (answer.verdict != BC_REWRITE)
		differ(seed, number, made, bind, "reading of the text", answer.verdict, BC_REWRITE);
	if (answer.port != (rule->to_port ?: bind->question.port))
		differ(seed, number, made, bind, "port of the rewrite", answer.port, rule->to_port);
	if (memcmp(addr, answer.addr, sizeof(addr)) != 0)
		differ(seed, number, made, bind, "address of the rewrite", answer.addr[3], addr[3]);
}

static void check_bind(uint64_t seed, unsigned number, const struct model *model, const struct made *made,
		       const struct model_bind *bind, struct seen *seen)
{
	struct model_answer strict = model_ask(model, bind, false), generous = model_ask(model, bind, true);
	const struct model_answer *expected = &strict;
	bool audited = false, dual = reference_is_dual(&bind->question);
	struct bc_answer answer = {};

	assert_int_equal(bc_decide_image(&made->image, &bind->question, &answer), 0);
	for (size_t i = 0; i < answer.ntried; i++)
		audited |= answer.tried[i].failed == BC_TRIED_AUDITS;
	if (strict.unsure && answer.verdict == generous.verdict)
		expected = &generous;
	if (answer.verdict != expected->verdict)
		differ(seed, number, made, bind, "verdict", answer.verdict, expected->verdict);
	if (answer.verdict == BC_REWRITE)
		check_place(seed, number, model, made, bind);
	if (answer.verdict == BC_REWRITE && !strict.unsure)
		check_target(seed, number, made, bind, expected->rule);
	/* Reserved ports may be audited, too, and of what is denied nobody asks who else would have. */
	if (bind->pod >= 0 && !strict.unsure && !strict.cluster && !dual && answer.verdict != BC_DENY &&
	    !bind->question.host_netns && audited != expected->audited)
		differ(seed, number, made, bind, "audited", audited, expected->audited);
	seen->binds++;
	seen->verdicts[answer.verdict]++;
	seen->unsure += strict.unsure;
	seen->audited += audited;
	seen->dual += dual;
	seen->dual_rewrites += dual && answer.verdict == BC_REWRITE;
	seen->twins += answer.verdict == BC_DENY && expected->rule && expected->rule->verb != BC_VERB_DENY;
	bc_answer_done(&answer);
}

static uint64_t number_of(const char *variable, uint64_t usual)
{
	const char *value = getenv(variable);

	return value ? strtoull(value, NULL, 0) : usual;
}

static void file_decides_as_the_rules_say(void **unused)
{
	uint64_t seed = number_of("BINDCTL_RANDOM_SEED", 0x8b1d);
	unsigned clusters = 3000 * number_of("BINDCTL_RANDOM_ROUNDS", 1);
	struct seen seen = {};

	(void)unused;
	for (unsigned i = 0; i < clusters; i++) {
		uint64_t chance = random_state(seed, i);
		_cleanup_(made_done) struct made made = {}, again = {};
		struct state *state, *other;
		struct model model;

		model_random(&chance, &model);
		state = model_state(&model, &chance);
		other = model_state(&model, &chance);
		make(state, &cluster_config, &made);
		make(other, &cluster_config, &again);
		assert_string_equal(made.text.data, again.text.data);
		for (unsigned k = 0; k < 60; k++) {
			struct model_bind bind;
			char path[128];

			random_bind(&chance, &model, &bind, path, sizeof(path));
			check_bind(seed, i, &model, &made, &bind, &seen);
		}
		state_free(state);
		state_free(other);
	}
	print_message("# seed %#jx: %u binds in %u clusters as the rules say\n", (uintmax_t)seed, seen.binds, clusters);
	print_message(
		"# (%u denied, %u allowed, %u rewritten, %u granted, %u without a rule; %u audited, %u dual-stack, "
		"%u of these rewritten, %u denied outside of the pod's network, %u unsure)\n",
		seen.verdicts[BC_DENY], seen.verdicts[BC_ALLOW], seen.verdicts[BC_REWRITE], seen.verdicts[BC_GRANT],
		seen.verdicts[BC_NONE], seen.audited, seen.dual, seen.dual_rewrites, seen.twins, seen.unsure);
	/* None of it so seldom that it would not be missed. */
	assert_true(seen.verdicts[BC_DENY] > seen.binds / 10 && seen.verdicts[BC_ALLOW] > seen.binds / 100);
	assert_true(seen.verdicts[BC_REWRITE] > seen.binds / 200 && seen.verdicts[BC_GRANT] > seen.binds / 50);
	assert_true(seen.dual > seen.binds / 20 && seen.dual_rewrites > seen.dual / 200);
	assert_true(seen.audited > seen.binds / 100 && seen.twins > seen.binds / 500 && seen.unsure < seen.binds / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_decides_as_the_rules_say),
	};

	return cmocka_run_group_tests_name("intent_random", tests, NULL, NULL);
}
