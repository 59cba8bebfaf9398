// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/scope.h"

void bc_tree_done(struct bc_tree *tree)
{
	free(tree->nodes);
	free(tree->labels);
	free(tree->table);
	*tree = (struct bc_tree){};
}

static uint64_t hash_parts(const union bc_part *parts, unsigned n, uint64_t hash)
{
	for (unsigned i = 0; i < n; i++)
		hash = bc_name_hash(hash, &parts[i]);
	return hash;
}

uint32_t bc_tree_hash(const struct bc_tree *tree, uint32_t scope, uint32_t seed)
{
	const struct bc_node *node = &tree->nodes[scope - 1];

	return bc_name_id(hash_parts(tree->labels + node->label, node->parts, seed));
}

/* Where in the table that child stands or would stand. */
static size_t find_place(const struct bc_tree *tree, uint32_t parent, const union bc_part *parts, unsigned n)
{
	size_t at = hash_parts(parts, n, parent) % tree->table_size;

	for (; tree->table[at]; at = at + 1 < tree->table_size ? at + 1 : 0) {
		const struct bc_node *node = &tree->nodes[tree->table[at] - 1];

		if (node->parent == parent && node->parts == n &&
		    !memcmp(tree->labels + node->label, parts, n * sizeof(*parts)))
			break;
	}
	return at;
}

/* Keeps the table at most half full. */
static int grow_table(struct bc_tree *tree)
{
	struct bc_tree bigger = *tree;

	if (tree->n * 2 < tree->table_size)
		return 0;
	bigger.table_size = tree->table_size ? tree->table_size * 2 : 64;
	bigger.table = calloc(bigger.table_size, sizeof(*bigger.table));
	if (!bigger.table)
		return -ENOMEM;
	for (size_t i = 1; i < tree->n; i++) {
		const struct bc_node *node = &tree->nodes[i];

		bigger.table[find_place(&bigger, node->parent, tree->labels + node->label, node->parts)] = i + 1;
	}
	free(tree->table);
	*tree = bigger;
	return 0;
}

static int add_node(struct bc_tree *tree, uint32_t parent, const union bc_part *parts, unsigned n)
{
	if (tree->n == BC_SCOPES_MAX)
		return -E2BIG;
	if (bc_grow(&tree->nodes, &tree->room, tree->n + 1) ||
	    bc_grow(&tree->labels, &tree->labels_room, tree->nlabels + n))
		return -ENOMEM;
	if (n)
		memcpy(tree->labels + tree->nlabels, parts, n * sizeof(*parts));
	tree->nodes[tree->n++] = (struct bc_node){ .parent = parent, .label = tree->nlabels, .parts = n };
	tree->nlabels += n;
	return 0;
}

/* The child of that name, made if need be. */
static int step_down(struct bc_tree *tree, uint32_t *scope, const char *name, size_t len)
{
	union bc_part parts[BC_NAME_PARTS] = {};
	unsigned n = (len + BC_PART_SIZE - 1) / BC_PART_SIZE;
	size_t place;
	int r;

	if (!len || len > BC_NAME_MAX)
		return -EINVAL;
	memcpy(parts, name, len);
	r = grow_table(tree);
	if (r)
		return r;
	place = find_place(tree, *scope, parts, n);
	if (!tree->table[place]) {
		r = add_node(tree, *scope, parts, n);
		if (r)
			return r;
		tree->table[place] = tree->n;
	}
	*scope = tree->table[place];
	return 0;
}

int bc_tree_add(struct bc_tree *tree, const char *path, uint32_t *ret_scope)
{
	uint32_t scope = BC_SCOPE_ROOT;
	int r = tree->n ? 0 : add_node(tree, 0, NULL, 0);

	while (!r && path && *path == '/' && path[1]) {
		const char *slash = strchrnul(path + 1, '/');

		r = step_down(tree, &scope, path + 1, slash - path - 1);
		path = slash;
	}
	if (r)
		return r;
	tree->nodes[scope - 1].ruled = true;
	*ret_scope = scope;
	return 0;
}

void bc_tree_write(const struct bc_tree *tree, struct bc_scope *scopes)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct bc_node *node = &tree->nodes[i];

		/* Parents come first, so theirs is known. */
		scopes[i].up = node->parent ? scopes[node->parent - 1].first : 0;
		scopes[i].first = node->ruled ? i + 1 : scopes[i].up;
		scopes[i].parent = node->parent;
		scopes[i].label = node->label << 8 | node->parts;
	}
}
