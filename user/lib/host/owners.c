// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "host/owners.h"

static int compare_inodes(const void *left, const void *right)
{
	const struct bc_socket *const *a = left, *const *b = right;

	return BC_COMPARE((*a)->inode, (*b)->inode);
}

/* The sockets by inode, to find those of a process. */
struct index {
	const struct bc_socket **sockets;
	bool *found;  /* of sockets in their own order */
	bool *missed; /* not found by a look at each process, but for NULL: the only ones that are looked for */
	size_t n;
	bool hidden; /* there are processes that we may not look into */
};

static void index_done(struct index *index)
{
	free(index->sockets);
	free(index->found);
	free(index->missed);
}

static int make_index(const struct bc_holders *holders, size_t n, struct index *index)
{
	index->sockets = calloc(n, sizeof(*index->sockets));
	index->found = calloc(n, sizeof(*index->found));
	if (!index->sockets || !index->found)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		index->sockets[i] = &holders->sockets[i];
	index->n = n;
	qsort(index->sockets, n, sizeof(*index->sockets), compare_inodes);
	return 0;
}

static int add_holder(struct bc_holders *holders, const struct bc_socket *socket, pid_t pid)
{
	if (bc_grow(&holders->items, &holders->room, holders->n + 1))
		return -ENOMEM;
	holders->items[holders->n++] = (struct bc_holder){ .socket = socket, .pid = pid };
	return 0;
}

/* What one descriptor leads to: a socket of ours, nothing that concerns us, or -EACCES. */
static int look_at(int dir, const char *name, const struct index *index, const struct bc_socket **ret_socket)
{
	struct bc_socket key;
	const struct bc_socket *wanted = &key, **found;
	char link[64];
	unsigned long long inode;
	ssize_t len = readlinkat(dir, name, link, sizeof(link) - 1);

	*ret_socket = NULL;
	if (len < 0)
		return errno == EACCES || errno == EPERM ? -EACCES : 0;
	link[len] = '\0';
	if (sscanf(link, "socket:[%llu]", &inode) != 1)
		return 0;
	key.inode = inode;
	found = bsearch(&wanted, index->sockets, index->n, sizeof(*index->sockets), compare_inodes);
	*ret_socket = found ? *found : NULL;
	return 0;
}

/*
 * Adds what a table of descriptors holds for the process, each socket once; `before` is where its own begin. Who is not
 * there any more holds nothing. 0 or -ENOMEM.
 */
static int look_into(const char *path, pid_t pid, size_t before, struct index *index, struct bc_holders *holders)
{
	struct dirent *entry;
	int r = 0;
	DIR *dir = opendir(path);

	if (!dir) {
		index->hidden |= errno == EACCES || errno == EPERM;
		return 0;
	}
	while (!r && (entry = readdir(dir))) {
		const struct bc_socket *socket;
		bool again = false;

		if (*entry->d_name == '.')
			continue;
		if (look_at(dirfd(dir), entry->d_name, index, &socket)) {
			index->hidden = true;
			break;
		}
		for (size_t i = before; socket && i < holders->n && !again; i++)
			again = holders->items[i].socket == socket;
		if (!socket || again || (index->missed && !index->missed[socket - holders->sockets]))
			continue;
		index->found[socket - holders->sockets] = true;
		r = add_holder(holders, socket, pid);
	}
	closedir(dir);
	return r;
}

/* The numbers in a directory of /proc, one a call; 0 at the end. */
static pid_t next_number(DIR *dir)
{
	struct dirent *entry;
	uint64_t number;

	while ((entry = readdir(dir)))
		if (!bc_parse_number(entry->d_name, strlen(entry->d_name), 1, INT32_MAX, &number))
			return number;
	return 0;
}

static int look_into_process(pid_t pid, struct index *index, struct bc_holders *holders)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	return look_into(path, pid, holders->n, index, holders);
}

/* A thread can have a table of its own, or have outlived the first one, whose table is empty then. */
static int look_into_threads(pid_t pid, struct index *index, struct bc_holders *holders)
{
	size_t before = holders->n;
	char path[64];
	pid_t tid;
	int r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (!r && dir && (tid = next_number(dir))) {
		if (tid == pid)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", (int)pid, (int)tid);
		r = look_into(path, pid, before, index, holders);
	}
	if (dir)
		closedir(dir);
	return r;
}

static int for_each_process(int (*look)(pid_t pid, struct index *index, struct bc_holders *holders),
			    struct index *index, struct bc_holders *holders)
{
	DIR *proc = opendir("/proc");
	int r = 0;
	pid_t pid;

	if (!proc)
		return -errno;
	while (!r && (pid = next_number(proc)))
		r = look(pid, index, holders);
	closedir(proc);
	return r;
}

/* How many have not been found; those are noted as missed. */
static size_t note_missed(struct index *index)
{
	size_t n = 0;

	for (size_t i = 0; i < index->n; i++) {
		index->missed[i] = !index->found[i];
		n += index->missed[i];
	}
	return n;
}

static int find_processes(struct index *index, struct bc_holders *holders)
{
	int r = for_each_process(look_into_process, index, holders);

	if (r)
		return r;
	index->missed = calloc(index->n, sizeof(*index->missed));
	if (!index->missed)
		return -ENOMEM;
	/* That takes longer, and is seldom needed. */
	if (note_missed(index))
		r = for_each_process(look_into_threads, index, holders);
	for (size_t i = 0; !r && i < index->n; i++) {
		if (index->found[i])
			continue;
		holders->hidden |= index->hidden;
		r = add_holder(holders, &holders->sockets[i], 0);
	}
	return r;
}

int bc_owners_find(struct bc_holders *holders, size_t n)
{
	_cleanup_(index_done) struct index index = {};
	int r = make_index(holders, n, &index);

	return r ? r : find_processes(&index, holders);
}
