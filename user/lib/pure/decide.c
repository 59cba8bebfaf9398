// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "pure/decide.h"

struct bc_match;

/* What the hooks below need: the question, and where to write down what was tried. */
struct decision {
	const struct bc_cells *image;
	const struct bc_question *question;
	struct bc_answer *answer;
	bool no_memory;
};

static const union bc_cell *read_cell(const struct bc_match *m, uint32_t n);
static int is_host(const struct bc_match *m);
static void trace(const struct bc_match *m, uint32_t rule, uint32_t failed);

#define BC_CELL(m, n) read_cell(m, n)
#define BC_IS_HOST(m) is_host(m)
#define BC_TRACE(m, number, failed) trace(m, number, failed)
#define BC_NOINLINE __attribute__((noinline))
#define BC_LOOP(n, fn, m) loop(n, fn, m)

/* As the kernel's bpf_loop() does. */
static long loop(uint32_t n, long (*fn)(uint32_t i, void *ctx), void *ctx)
{
	for (uint32_t i = 0; i < n; i++)
		if (fn(i, ctx))
			return i + 1;
	return n;
}

#include "bindctl/match.h"

static const union bc_cell *read_cell(const struct bc_match *m, uint32_t n)
{
	const struct bc_cells *image = m->image;

	return n < image->n ? &image->cells[n] : NULL;
}

static int is_host(const struct bc_match *m)
{
	return ((struct decision *)m->env)->question->host_netns;
}

static void trace(const struct bc_match *m, uint32_t rule, uint32_t failed)
{
	struct decision *decision = m->env;
	struct bc_answer *answer = decision->answer;

	if (bc_grow(&answer->tried, &answer->tried_room, answer->ntried + 1)) {
		decision->no_memory = true;
		return;
	}
	answer->tried[answer->ntried++] = (struct bc_tried){ rule, failed, m->v4 };
}

void bc_answer_done(struct bc_answer *answer)
{
	free(answer->tried);
	*answer = (struct bc_answer){};
}

static bool is_wildcard(const struct bc_question *question)
{
	const uint32_t *addr = question->addr;

	return !question->v4 && !(addr[0] | addr[1] | addr[2] | addr[3]);
}

/* The dual-stack rule, as the programs apply it: IPv4 is asked too, and the lesser privilege holds. */
static void decide_both(struct bc_match *m, struct bc_answer *answer)
{
	struct bc_match v6 = *m;

	answer->both = true;
	m->v4 = 1;
	m->addr[2] = 0xffff;
	bc_decide(m);
	if (v6.verdict < m->verdict)
		*m = v6;
}

int bc_decide_image(const struct bc_cells *image, const struct bc_question *question, struct bc_answer *ret_answer)
{
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	struct decision decision = { image, question, &answer, false };
	struct bc_match m = {
		.image = (void *)image,
		.env = &decision,
		.addr = { question->addr[0], question->addr[1], question->addr[2], question->addr[3] },
		.uid = question->uid,
		.scope = BC_SCOPE_ROOT,
		.port = question->port,
		.proto = question->proto,
		.v4 = question->v4,
		.verdict = BC_NONE,
		.rule = BC_RULE_NONE,
	};

	if (!bc_open(&m))
		return -EBADMSG;
	if (bc_port_named(&m, m.port)) {
		bc_decide(&m);
		if (m.features & BC_F_ADDR && is_wildcard(question) && !question->v6only)
			decide_both(&m, &answer);
	}
	if (decision.no_memory)
		return -ENOMEM;
	answer.verdict = m.verdict;
	answer.rule = m.rule;
	answer.err = m.err;
	*ret_answer = answer;
	answer = (struct bc_answer){};
	return 0;
}
