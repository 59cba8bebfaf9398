// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/util.h"
#include "host/process.h"

#define STATUS_MAX (4 << 20) /* bytes: 65,536 groups of ten digits, and some */

void bc_process_done(struct bc_process *process)
{
	free(process->groups);
	free(process->cgroup);
	*process = (struct bc_process){};
}

static int read_proc(pid_t pid, const char *name, char **ret_text)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return bc_read_all(fd, STATUS_MAX, ret_text, &len);
}

/* What stands behind "NAME:" at the start of a line; NULL when there is no such line. */
static const char *find_field(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ':')
			return line + len + 1;
	}
	return NULL;
}

static int read_groups(const char *field, struct bc_process *process)
{
	size_t room = 0;

	for (char *end; *field && *field != '\n'; field = end) {
		unsigned long gid = strtoul(field, &end, 10);

		if (end == field)
			break;
		if (bc_grow(&process->groups, &room, process->ngroups + 1))
			return -ENOMEM;
		process->groups[process->ngroups++] = gid;
		end += strspn(end, " \t");
	}
	return 0;
}

static int read_status(pid_t pid, struct bc_process *process)
{
	_cleanup_free_ char *text = NULL;
	const char *uids, *gids, *groups;
	int r = read_proc(pid, "status", &text);

	if (r)
		return r;
	uids = find_field(text, "Uid");
	gids = find_field(text, "Gid");
	groups = find_field(text, "Groups");
	/* Real, effective, saved, for files. */
	if (!uids || !gids || !groups || sscanf(uids, "%*u %u", &process->uid) != 1 ||
	    sscanf(gids, "%*u %u", &process->gid) != 1)
		return -EBADMSG;
	return read_groups(groups, process);
}

/* Above the root of our cgroup namespace, which is shown as "/..". A cgroup's own name may begin so, too. */
static bool is_outside(const char *path)
{
	return !strncmp(path, "/..", 3) && strchr("/\n", path[3]);
}

static int read_cgroup(pid_t pid, struct bc_process *process)
{
	_cleanup_free_ char *text = NULL;
	const char *path;
	int r = read_proc(pid, "cgroup", &text);

	if (r)
		return r;
	path = find_field(text, "0:");
	if (!path || *path != '/' || is_outside(path))
		return 0;
	process->cgroup = strndup(path, strcspn(path, "\n"));
	return process->cgroup ? 0 : -ENOMEM;
}

/* linux/nsfs.h, since 6.18: the initial network namespace. Before, inodes of namespaces began above it. */
#define INITIAL_NETNS 0xeffffff9u

/* Of the network namespace that this process is in; 0 when it cannot be told. */
static uint64_t own_cookie(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? cookie : 0;
}

bool bc_process_in_host_netns(void)
{
	struct stat ours;

	/* Before 6.18 it was the first to get a cookie; since, the first is a namespace of another kind. */
	return (!stat("/proc/self/ns/net", &ours) && ours.st_ino == INITIAL_NETNS) || own_cookie() == 1;
}

uint64_t bc_process_host_cookie(void)
{
	return bc_process_in_host_netns() ? own_cookie() : 0;
}

/*
 * Whether the process is in the initial network namespace. If we are not, it is taken to be that of init, which in a
 * container is another one; to look at init takes all of its capabilities.
 */
static int read_netns(pid_t pid, struct bc_process *process)
{
	struct stat its, ours, init;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (stat(path, &its) || stat("/proc/self/ns/net", &ours))
		return -errno;
	if (its.st_ino == INITIAL_NETNS || bc_process_in_host_netns())
		init = its.st_ino == INITIAL_NETNS ? its : ours;
	else if (stat("/proc/1/ns/net", &init))
		return -errno;
	process->host_netns = its.st_ino == init.st_ino && its.st_dev == init.st_dev;
	return 0;
}

/* The name that it has given itself; not to be trusted with anything. */
static int read_comm(pid_t pid, struct bc_process *process)
{
	_cleanup_free_ char *text = NULL;
	int r = read_proc(pid, "comm", &text);

	/* The newline at its end is the kernel's; others may be its own. */
	if (!r && text && *text)
		snprintf(process->comm, sizeof(process->comm), "%.*s", (int)strlen(text) - 1, text);
	return r;
}

/* In another user namespace than the one that owns the network namespace, it may have what capability it will. */
static int read_binds_low(pid_t pid, struct bc_process *process)
{
	_cleanup_close_ int netns = -1, owner = -1;
	_cleanup_free_ char *text = NULL;
	const char *effective;
	struct stat its, owners;
	char path[64];
	int r = read_proc(pid, "status", &text);

	if (r)
		return r;
	effective = find_field(text, "CapEff");
	if (!effective)
		return -EBADMSG;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return -errno;
	owner = ioctl(netns, NS_GET_USERNS);
	/* EPERM: it is owned from further out than we are, and so is every capability that counts. */
	if (owner < 0)
		return errno == EPERM ? 0 : -errno;
	if (fstat(owner, &owners) || stat(path, &its))
		return -errno;
	process->binds_low = strtoull(effective, NULL, 16) >> CAP_NET_BIND_SERVICE & 1 && its.st_ino == owners.st_ino &&
			     its.st_dev == owners.st_dev;
	return 0;
}

static int read_who(pid_t pid, struct bc_process *process)
{
	return read_status(pid, process) ?: read_cgroup(pid, process);
}

/* What reading it came to, in words. */
static int conclude(int r, pid_t pid, struct bc_process *process, struct bc_process *ret, struct bc_error *reterr)
{
	if (r == -ENOENT || r == -ESRCH)
		return bc_fail(reterr, -ESRCH, "there is no process %d", (int)pid);
	if (r)
		return bc_fail_errno(reterr, r, "cannot look into process %d", (int)pid);
	*ret = *process;
	*process = (struct bc_process){};
	return 0;
}

int bc_process_read(pid_t pid, struct bc_process *ret, struct bc_error *reterr)
{
	_cleanup_(bc_process_done) struct bc_process process = {};

	return conclude(read_who(pid, &process) ?: read_netns(pid, &process), pid, &process, ret, reterr);
}

int bc_process_read_holder(pid_t pid, struct bc_process *ret, struct bc_error *reterr)
{
	_cleanup_(bc_process_done) struct bc_process process = { .host_netns = bc_process_in_host_netns() };
	int r = read_who(pid, &process);

	/* Older kernels say so. Whoever owns a cgroup can bring it about, and must not hide others' processes by it. */
	process.too_deep = r == -ENAMETOOLONG;
	if (!r || process.too_deep)
		r = read_comm(pid, &process) ?: read_binds_low(pid, &process);

	return conclude(r, pid, &process, ret, reterr);
}
