// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "host/holders.h"
#include "host/mounts.h"
#include "host/names.h"
#include "host/owners.h"
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
	return BC_COMPARE(a->socket->cgroup, b->socket->cgroup);
}

static int compare_where(const void *left, const void *right)
{
	const struct bc_holder *a = left, *b = right;

	if (a->socket != b->socket)
		return a->socket < b->socket ? -1 : 1;
	return BC_COMPARE(a->pid, b->pid);
}

/* Whoever made the socket. Of his groups only those of a login can be known. */
static int guess_who(const struct bc_socket *socket, struct bc_process *process)
{
	int r = bc_user_groups(socket->uid, &process->gid, &process->groups, &process->ngroups);

	process->uid = socket->uid;
	if (r == -ENOMEM)
		return r;
	if (r)
		process->gid = BC_UNRESOLVED;
	process->cgroup = bc_cgroup_name(socket->cgroup);
	process->host_netns = bc_process_in_host_netns();
	process->binds_low = !socket->uid;
	return 0;
}

/* Reads each process once, and leaves out holders that are gone meanwhile; *identified: of which sockets one is left. */
static int identify(struct bc_holders *holders, bool *identified, struct bc_error *reterr)
{
	const struct bc_holder *last = NULL;
	size_t kept = 0;

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
				return holder.pid ? r :
						    bc_fail_errno(reterr, r, "cannot look up the groups of uid %u",
								  process->uid);
			if (process->too_deep)
				process->cgroup = bc_cgroup_name(holder.socket->cgroup);
			holder.process = process;
			holders->nprocesses++;
		}
		identified[holder.socket - holders->sockets] = true;
		holders->items[kept] = holder;
		last = &holders->items[kept++];
	}
	holders->n = kept;
	return 0;
}

static bool is_among(const struct bc_socket *sockets, size_t n, uint64_t inode)
{
	for (size_t i = 0; i < n; i++)
		if (sockets[i].inode == inode)
			return true;
	return false;
}

/*
 * A program that hands its socket to a new process all the time, and ends, is never to be met: where the socket is there
 * still, whoever made it stands for it. Each has lost a holder, so there is room.
 */
static int find_maker(struct bc_holders *holders, size_t n, const bool *identified, struct bc_error *reterr)
{
	_cleanup_free_ struct bc_socket *now = NULL;
	size_t nnow = 0;

	for (size_t i = 0; i < n; i++) {
		struct bc_process *process = &holders->processes[holders->nprocesses];
		const struct bc_socket *socket = &holders->sockets[i];
		int r = 0;

		if (identified[i])
			continue;
		if (!now)
			r = bc_sockets_read(&now, &nnow, reterr);
		if (r)
			return r;
		if (!is_among(now, nnow, socket->inode))
			continue;
		r = guess_who(socket, process);
		if (r)
			return bc_fail_errno(reterr, r, "cannot look up the groups of uid %u", process->uid);
		if (bc_grow(&holders->items, &holders->room, holders->n + 1))
			return bc_fail(reterr, -ENOMEM, "out of memory");
		holders->items[holders->n++] = (struct bc_holder){ .socket = socket, .process = process };
		holders->nprocesses++;
	}
	return 0;
}

static int identify_all(struct bc_holders *holders, size_t n, struct bc_error *reterr)
{
	_cleanup_free_ bool *identified = calloc(n, sizeof(*identified));
	int r;

	holders->processes = calloc(holders->n, sizeof(*holders->processes));
	if (!holders->processes || !identified)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	qsort(holders->items, holders->n, sizeof(*holders->items), compare_who);
	r = identify(holders, identified, reterr);
	if (!r)
		r = find_maker(holders, n, identified, reterr);
	qsort(holders->items, holders->n, sizeof(*holders->items), compare_where);
	return r;
}

int bc_holders_read(const struct bc_wanted_ports *wanted, struct bc_holders *ret, struct bc_error *reterr)
{
	_cleanup_(bc_holders_done) struct bc_holders holders = {};
	size_t n, kept = 0;
	int r = bc_sockets_read(&holders.sockets, &n, reterr);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		if (is_wanted(wanted, &holders.sockets[i]))
			holders.sockets[kept++] = holders.sockets[i];
	if (!kept)
		return 0;
	r = bc_owners_find(&holders, kept);
	if (r)
		return bc_fail_errno(reterr, r, "cannot look for the processes that hold ports");
	r = identify_all(&holders, kept, reterr);
	if (r || !holders.n)
		return r;
	*ret = holders;
	holders = (struct bc_holders){};
	return 0;
}
