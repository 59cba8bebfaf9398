// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/decide.h"

struct bc_match;
struct bc_search;

/* What trace() needs: where to write down what was tried. */
struct decision {
	struct bc_answer *answer;
	bool no_memory;
};

static const struct bc_question *question_of(const struct bc_match *m);
static const union bc_cell *read_cell(const struct bc_search *s, uint32_t n);
static bool in_group(const struct bc_question *question, uint32_t gid);
static int component(struct bc_match *m, uint32_t i);
static int name_part(struct bc_match *m, uint32_t n);
static void trace(const struct bc_search *s, uint32_t ref, uint32_t failed);

#define BC_CELL(s, n) read_cell(s, n)
#define BC_IS_V6ONLY(m) (question_of(m)->v6only)
#define BC_IN_GROUP(m, gid) in_group(question_of(m), gid)
#define BC_NOW(m) ((uint64_t)question_of(m)->now)
#define BC_TRACE(s, ref, failed) trace(s, ref, failed)
#define BC_COMPONENT(m, i) component(m, i)
#define BC_NAME_PART(m, n) name_part(m, n)
#define BC_NOINLINE __attribute__((noinline))
#define BC_GLOBAL static BC_NOINLINE
#define BC_LOOP(n, fn, ctx) loop(n, fn, ctx)

/* As the kernel's bpf_loop() does. */
static long loop(uint32_t n, long (*fn)(uint32_t i, void *ctx), void *ctx)
{
	for (uint32_t i = 0; i < n; i++)
		if (fn(i, ctx))
			return i + 1;
	return n;
}

#include "bindctl/match.h"

/* NOLINTNEXTLINE(misc-redundant-expression): that both sides are the same is what it says */
_Static_assert(BC_TRIED_AUDITS == BC_AUDITS, "two names of one thing");

static const struct bc_question *question_of(const struct bc_match *m)
{
	return (const struct bc_question *)(uintptr_t)m->socket;
}

static const union bc_cell *read_cell(const struct bc_search *s, uint32_t n)
{
	const struct bc_cells *image = s->image;

	return n < image->n ? &image->cells[n] : NULL;
}

static bool in_group(const struct bc_question *question, uint32_t gid)
{
	if (question->gid == gid)
		return true;
	for (size_t i = 0; i < question->ngroups; i++)
		if (question->groups[i] == gid)
			return true;
	return false;
}

static int component(struct bc_match *m, uint32_t i)
{
	const char *path = question_of(m)->cgroup;

	for (; path && *path; path = strchr(path + 1, '/')) {
		if (!path[1])
			return 0;
		if (i-- == 0) {
			m->walk.name = (uintptr_t)(path + 1);
			return 1;
		}
	}
	return 0;
}

static int name_part(struct bc_match *m, uint32_t n)
{
	const char *name = (const char *)(uintptr_t)m->walk.name;
	size_t len = strcspn(name, "/"), from = (size_t)n * BC_PART_SIZE;

	if (from >= len)
		return -1;
	memset(&m->walk.part, 0, sizeof(m->walk.part));
	memcpy(m->walk.part.bytes, name + from, len - from < BC_PART_SIZE ? len - from : BC_PART_SIZE);
	return len - from > BC_PART_SIZE ? BC_NAME_MORE : (int)(len - from);
}

static void trace(const struct bc_search *s, uint32_t ref, uint32_t failed)
{
	struct decision *decision = s->env;
	struct bc_answer *answer = decision->answer;

	if (bc_grow(&answer->tried, &answer->tried_room, answer->ntried + 1)) {
		decision->no_memory = true;
		return;
	}
	answer->tried[answer->ntried++] = (struct bc_tried){ ref & BC_REF_RULE, failed, s->m->v4, ref & BC_REF_OTHERS };
}

void bc_answer_done(struct bc_answer *answer)
{
	free(answer->tried);
	*answer = (struct bc_answer){};
}

int bc_decide_image(const struct bc_cells *image, const struct bc_question *question, struct bc_answer *ret_answer)
{
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	struct decision decision = { &answer, false };
	const uint32_t *addr = question->addr;
	struct bc_match m = {
		.addr = { addr[0], addr[1], addr[2], addr[3] },
		.socket = (uintptr_t)question,
		.uid = question->uid,
		.port = question->port,
		.proto = question->proto,
		.v4 = question->v4,
		.host = question->host_netns,
		.verdict = BC_NONE,
		.rule = BC_RULE_NONE,
	};
	struct bc_search s = { .image = (void *)image, .m = &m, .env = &decision };

	if (!bc_open(&s))
		return -EBADMSG;
	if (m.features & BC_F_SCOPE)
		bc_find_scope(&s);
	bc_decide(&s);
	answer.both = m.features & BC_F_ADDR && !m.v4 && !question->v6only && !(addr[0] | addr[1] | addr[2] | addr[3]);
	if (decision.no_memory)
		return -ENOMEM;
	/* The IPv4 side of a V6ONLY socket was asked, but does not count. */
	if (question->v6only && !question->v4)
		while (answer.ntried && answer.tried[answer.ntried - 1].v4)
			answer.ntried--;
	answer.verdict = m.verdict;
	answer.rule = m.rule;
	answer.err = m.verdict == BC_DENY ? m.err : 0;
	*ret_answer = answer;
	answer = (struct bc_answer){};
	return 0;
}
