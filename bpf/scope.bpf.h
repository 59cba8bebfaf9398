/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the task's cgroup to the scope that its binds are decided in.
 *
 * A scope is a path of names, and the kernel is asked for the names at the first bind from a cgroup: so a rule may
 * speak of a cgroup that is not there yet, and one that is made anew under the same name is covered from its first
 * bind. Cgroups of v2 are never renamed and their ids never used again, so what the walk found is remembered by id.
 */
#ifndef BINDCTL_SCOPE_BPF_H
#define BINDCTL_SCOPE_BPF_H

static long find_start(__u32 level, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_walk *w = &s->m->walk;
	struct kernfs_node *node;

	if (level > w->level)
		return 1;
	node = node_at(w->cgroup, level);
	if (node && BPF_CORE_READ(node, id) == w->hash) {
		w->start = level;
		return 1;
	}
	return 0;
}

/*
 * An entry of `bc_seen`: the scope in the lower 21 bits, and a tag of the cgroup's id and the epoch above. Each cgroup
 * has one place, which others may take at any moment: should the id that was read be one's and the entry another's, the
 * tag tells. The epoch is random and known to root alone, so nobody can aim for another cgroup's tag.
 */
#define SEEN_SCOPE 0x001fffffu /* BC_SCOPES_MAX and more */
#define SEEN_TAG (~(__u64)SEEN_SCOPE)

static __always_inline __u64 mix(__u64 cgroup, __u64 epoch)
{
	__u64 mixed = (cgroup ^ epoch) * (epoch | 1);

	return (mixed ^ mixed >> 29) * 0x9e3779b97f4a7c15u;
}

/* The place of what was mixed, by bits that the tag does not have. */
static __always_inline volatile struct seen *seen_at(__u64 mixed)
{
	__u32 place = mixed >> 8 & (SEEN_MAX - 1);

	return bpf_map_lookup_elem(&bc_seen, &place);
}

/* Sets s->m->first. After bc_open(), for an image with BC_F_SCOPE. */
static __noinline int find_scope(struct bc_search *s)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cgroup *cgroup = task->cgroups->dfl_cgrp;
	const union bc_cell *header = BC_CELL(s, 0);
	struct bc_walk *w = &s->m->walk;
	__u64 id, mixed, entry;
	volatile struct seen *seen;

	if (!header) {
		s->m->broken = 1;
		return 0;
	}
	id = cgroup->kn->id;
	mixed = mix(id, header->header.epoch);
	seen = seen_at(mixed);
	if (seen && seen->cgroup == id) {
		entry = seen->entry;
		if ((entry & SEEN_TAG) == (mixed & SEEN_TAG)) {
			s->m->first = entry & SEEN_SCOPE;
			return 0;
		}
	}
	w->cgroup = (__u64)cgroup;
	w->hash = header->header.root;
	/* Should the root not be found, the task is outside of what the publisher saw: none of his paths leads there. */
	w->level = w->start = cgroup->level;
	bpf_loop(BC_DEPTH_MAX, find_start, s, 0);
	if (bc_find_scope(s) && seen) {
		seen->cgroup = id;
		seen->entry = (mixed & SEEN_TAG) | s->m->first;
	}
	return 0;
}

#endif
