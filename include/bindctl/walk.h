/* SPDX-License-Identifier: GPL-2.0-only */
/* From a task's cgroup to the scope that its binds are decided in: the walk down the names that rules have. */
#ifndef BINDCTL_WALK_H
#define BINDCTL_WALK_H

#include "search.h"

static long bc_hash_part(__u32 n, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_walk *w = &s->m->walk;
	int got = BC_NAME_PART(s->m, n);

	if (got <= 0) {
		s->m->broken = 1;
		return 1;
	}
	w->hash = bc_name_hash(w->hash, &w->part);
	w->parts = n + 1;
	return got != BC_NAME_MORE;
}

static long bc_compare_part(__u32 n, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_walk *w = &s->m->walk;
	const union bc_cell *cell;
	const union bc_part *part;

	if (n >= w->parts)
		return 1;
	cell = BC_CELL(s, w->labels + (w->label + n) / BC_PARTS);
	/* A name of one part is there already. */
	if (!cell || (w->parts > 1 && BC_NAME_PART(s->m, n) <= 0)) {
		s->m->broken = 1;
		return 1;
	}
	part = &cell->parts[(w->label + n) % BC_PARTS];
	s->m->found = !((part->words[0] ^ w->part.words[0]) | (part->words[1] ^ w->part.words[1]) |
			(part->words[2] ^ w->part.words[2]) | (part->words[3] ^ w->part.words[3]));
	return s->m->found ? 0 : 1;
}

/* Whether the name is, byte by byte, that of the scope. */
BC_INLINE int bc_is_named(struct bc_search *s, const struct bc_scope *scope)
{
	struct bc_match *m = s->m;

	m->walk.label = scope->label >> 8;
	m->found = (scope->label & 0xff) == m->walk.parts;
	if (m->found && BC_LOOP(BC_NAME_PARTS, bc_compare_part, s) < 0)
		m->broken = 1;
	return m->found && !m->broken;
}

/* One cgroup further down. Non-zero: no rule speaks of anything deeper on this path. */
static long bc_descend(__u32 i, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_match *m = s->m;
	struct bc_walk *w = &m->walk;
	const struct bc_scope *scope;
	int more = BC_COMPONENT(m, i);
	__u32 child;

	w->hash = m->seed;
	if (more < 0 || (more && BC_LOOP(BC_NAME_PARTS, bc_hash_part, s) < 0))
		m->broken = 1;
	if (!more || m->broken)
		return 1;
	m->key = bc_key(w->scope, BC_CHILD);
	m->id = bc_name_id(w->hash);
	if (!bc_find_slot(s))
		return 1;
	child = m->ref & BC_REF_NUMBER;
	scope = bc_read_scope(s, child);
	if (!scope)
		m->broken = 1;
	if (!scope || !bc_is_named(s, scope))
		return 1;
	w->scope = child;
	return 0;
}

/*
 * Finds m->first for the task that BC_COMPONENT speaks of. After bc_open(); what m->walk holds for the hooks, and its
 * `labels`, are set. The walk ends where the rules' names do, so what a user builds further down costs nothing and
 * means nothing. Zero when something could not be read.
 */
BC_INLINE int bc_find_scope(struct bc_search *s)
{
	struct bc_match *m = s->m;
	const struct bc_scope *scope;

	m->walk.scope = BC_SCOPE_ROOT;
	if (BC_LOOP(BC_DEPTH_MAX, bc_descend, s) < 0)
		m->broken = 1;
	scope = bc_read_scope(s, m->walk.scope);
	m->first = scope ? scope->first : 0;
	if (!scope)
		m->broken = 1;
	return !m->broken;
}

#endif
