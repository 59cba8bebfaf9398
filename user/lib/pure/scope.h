/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cgroups that rules name, as a tree; what the image's scopes and labels are made from. */
#ifndef BINDCTL_SCOPE_H
#define BINDCTL_SCOPE_H

#include "base/error.h"
#include "pure/policy.h"

/* One cgroup. Number n, from BC_SCOPE_ROOT on, is nodes[n - 1]; a parent's number is always the smaller. */
struct bc_node {
	uint32_t parent; /* 0: it is the root */
	uint32_t label;	 /* first part of its name in `labels` */
	uint8_t parts;	 /* of the name */
	bool ruled;	 /* rules name it itself */
};

/* Owns its arrays. Zero-initialised holds nothing, not even the root. */
struct bc_tree {
	struct bc_node *nodes;
	size_t n, room;
	union bc_part *labels;
	size_t nlabels, labels_room;
	uint32_t *table; /* numbers by hash of parent and name; 0: free */
	size_t table_size;
};

void bc_tree_done(struct bc_tree *tree);

/*
 * The number of the cgroup with that path, which is made with all above it if need be; NULL is the root. Marks it as
 * ruled. 0, -ENOMEM, -E2BIG beyond BC_SCOPES_MAX, or -EINVAL when a name in it is empty or longer than BC_NAME_MAX.
 */
int bc_tree_add(struct bc_tree *tree, const char *path, uint32_t *ret_scope);

/* The hash of a node's name under a seed, as the kernel computes it of a cgroup's. */
uint32_t bc_tree_hash(const struct bc_tree *tree, uint32_t scope, uint32_t seed);

/* Writes the entries of the image's scopes; `scopes` has room for tree->n. */
void bc_tree_write(const struct bc_tree *tree, struct bc_scope *scopes);

#endif
