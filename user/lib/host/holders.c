// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "host/holders.h"
#include "host/mounts.h"
#include "host/names.h"
#include "pure/resolve.h"

void bc_holders_done(struct bc_holders *holders)
{
	for (size_t i = 0; i < holders->nprocesses; i++)
		bc_process_done(&holders->processes[i]);
	free(holders->processes);
	free(holders->sockets);
	free(holders->items);
	*holders = (struct bc_holders){};
}

static bool is_wanted(const struct bc_wanted_ports *wanted, const struct bc_socket *socket)
{
	return wanted->protos & socket->proto && bc_ranges_hold(wanted->ranges, wanted->n, socket->port);
}

static int compare_inodes(const void *left, const void *right)
{
	const struct bc_socket *const *a = left, *const *b = right;

	return ((*a)->inode > (*b)->inode) - ((*a)->inode < (*b)->inode);
}

/* The sockets by inode, to find those of a process. */
struct index {
	const struct bc_socket **sockets;
	bool *found; /* of sockets in their own order */
	size_t n;
	bool hidden; /* there are processes that we may not look into */
};

static void index_done(struct index *index)
{
	free(index->sockets);
	free(index->found);
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

/* Adds what one process holds, each socket once; a process that is not there any more holds nothing. 0 or -ENOMEM. */
static int look_into(pid_t pid, struct index *index, struct bc_holders *holders)
{
	size_t before = holders->n;
	struct dirent *entry;
	char path[64];
	int r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
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
		if (!socket || again)
			continue;
		index->found[socket - holders->sockets] = true;
		r = add_holder(holders, socket, pid);
	}
	closedir(dir);
	return r;
}

static int find_processes(struct index *index, struct bc_holders *holders)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	if (!proc)
		return -errno;
	while (!r && (entry = readdir(proc))) {
		uint64_t pid;

		if (!bc_parse_number(entry->d_name, strlen(entry->d_name), 1, INT32_MAX, &pid))
			r = look_into(pid, index, holders);
	}
	closedir(proc);
	for (size_t i = 0; !r && i < index->n; i++) {
		if (index->found[i])
			continue;
		holders->hidden |= index->hidden;
		r = add_holder(holders, &holders->sockets[i], 0);
	}
	return r;
}

/* By process, and of those without one the sockets of one user and cgroup together. */
static int compare_who(const void *left, const void *right)
{
	const struct bc_holder *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->pid)
		return 0;
	if (a->socket->uid != b->socket->uid)
		return a->socket->uid < b->socket->uid ? -1 : 1;
	return (a->socket->cgroup > b->socket->cgroup) - (a->socket->cgroup < b->socket->cgroup);
}

static int compare_where(const void *left, const void *right)
{
	const struct bc_holder *a = left, *b = right;

	if (a->socket != b->socket)
		return a->socket < b->socket ? -1 : 1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

/* Whoever made the socket. Of his groups only those of a login can be known. */
static int guess_who(const struct bc_socket *socket, struct bc_process *process)
{
	int r = bc_user_groups(socket->uid, &process->gid, &process->groups, &process->ngroups);

	if (r == -ENOMEM)
		return r;
	if (r)
		process->gid = BC_UNRESOLVED;
	process->uid = socket->uid;
	process->cgroup = bc_cgroup_name(socket->cgroup);
	process->host_netns = bc_process_in_host_netns();
	process->binds_low = !socket->uid;
	return 0;
}

/* Reads each process once, and leaves out holders that are gone meanwhile. */
static int identify(struct bc_holders *holders, struct bc_error *reterr)
{
	const struct bc_holder *last = NULL;
	size_t kept = 0;

	holders->processes = calloc(holders->n, sizeof(*holders->processes));
	if (!holders->processes)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	qsort(holders->items, holders->n, sizeof(*holders->items), compare_who);
	for (size_t i = 0; i < holders->n; i++) {
		struct bc_holder holder = holders->items[i];
		struct bc_process *process = &holders->processes[holders->nprocesses];

		if (last && !compare_who(last, &holder)) {
			holder.process = last->process;
		} else {
			int r = holder.pid ? bc_process_read_holder(holder.pid, process, reterr) :
					     guess_who(holder.socket, process);

			/* Its number may be another's already, one whom we may not look into. */
			if (r == -ESRCH || r == -EACCES || r == -EPERM)
				continue;
			if (r)
				return holder.pid ? r : bc_fail_errno(reterr, r, "cannot look up a user's groups");
			holder.process = process;
			holders->nprocesses++;
		}
		holders->items[kept] = holder;
		last = &holders->items[kept++];
	}
	holders->n = kept;
	qsort(holders->items, holders->n, sizeof(*holders->items), compare_where);
	return 0;
}

int bc_holders_read(const struct bc_wanted_ports *wanted, struct bc_holders *ret, struct bc_error *reterr)
{
	_cleanup_(bc_holders_done) struct bc_holders holders = {};
	_cleanup_(index_done) struct index index = {};
	size_t n, kept = 0;
	int r = bc_sockets_read(&holders.sockets, &n, reterr);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		if (is_wanted(wanted, &holders.sockets[i]))
			holders.sockets[kept++] = holders.sockets[i];
	if (!kept)
		return 0;
	r = make_index(&holders, kept, &index);
	if (!r)
		r = find_processes(&index, &holders);
	if (r)
		return bc_fail_errno(reterr, r, "cannot look for the processes that hold ports");
	r = identify(&holders, reterr);
	if (r || !holders.n)
		return r;
	*ret = holders;
	holders = (struct bc_holders){};
	return 0;
}
