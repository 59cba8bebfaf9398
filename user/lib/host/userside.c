// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "base/util.h"
#include "host/clock.h"
#include "host/names.h"
#include "host/privilege.h"
#include "host/userside.h"

#define PIPE_FD 3	       /* the child's end */
#define MORE_BYTES (64u << 20) /* of memory, for a child that a flood would make grow */
#define NOGROUP 65534	       /* for a uid that has no user */

/* What the child sends; numbers that any bytes are valid values of. */
struct answer {
	uint32_t managed;
	struct bc_unit_facts facts;
};

static bool has_file(const char *root, const char *dir, const char *name)
{
	char path[4096];

	/* A link that leads nowhere is no file to systemd either. */
	return snprintf(path, sizeof(path), "%s%s/%s", root, dir, name) < (int)sizeof(path) && !access(path, F_OK);
}

bool bc_unit_file_exists(const char *root, const char *const *dirs, const char *name)
{
	char template[BC_UNIT_NAME_MAX + 1];
	bool instance = bc_unit_template(name, template);

	for (; *dirs; dirs++)
		if (has_file(root, *dirs, name) || (instance && has_file(root, *dirs, template)))
			return true;
	return false;
}

static bool has_file_at_home(const char *root, const char *home, const char *name)
{
	char config[1024], data[1024];
	const char *const dirs[] = { config, data, NULL };

	return home && snprintf(config, sizeof(config), "%s/.config/systemd/user", home) < (int)sizeof(config) &&
	       snprintf(data, sizeof(data), "%s/.local/share/systemd/user", home) < (int)sizeof(data) &&
	       bc_unit_file_exists(root, dirs, name);
}

/* No more address space than there is now and a little: a limit that holds under a sanitizer, too. */
static int limit_memory(void)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	unsigned long long pages;
	struct rlimit limit;
	size_t len;

	if (fd < 0 || bc_read_all(fd, 4096, &text, &len) || sscanf(text, "%llu", &pages) != 1)
		return -EIO;
	limit.rlim_cur = limit.rlim_max = pages * sysconf(_SC_PAGESIZE) + MORE_BYTES;
	return setrlimit(RLIMIT_AS, &limit) ? -errno : 0;
}

/* Lets go of the terminal and of every file but the pipe. */
static int drop_files(int pipe_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Out of the way of the numbers that are about to be given. */
	pipe_fd = fcntl(pipe_fd, F_DUPFD_CLOEXEC, PIPE_FD + 1);
	if (null < 0 || pipe_fd < 0 || setsid() < 0)
		return -errno;
	for (int fd = 0; fd < PIPE_FD; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	if (dup2(pipe_fd, PIPE_FD) < 0 || close_range(PIPE_FD + 1, ~0u, 0))
		return -errno;
	return 0;
}

static int become(uint32_t uid, gid_t gid)
{
	if (!geteuid() && (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
		return -errno;
	if (geteuid() != uid || getuid() != uid)
		return -EPERM;
	/* The user is not to look into what was a process of root's. A change of user takes the death signal away. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	return 0;
}

static int find_answer(const char *root, uint32_t uid, const char *home, const char *name, struct answer *ret)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	char path[256];

	if (snprintf(path, sizeof(path), "%s/run/user/%u/systemd/private", root, uid) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (!bc_manager_open(path, false, &bus)) {
		ret->managed = true;
		return bc_manager_ask(bus, name, &ret->facts);
	}
	ret->facts.state = has_file_at_home(root, home, name) ? BC_UNIT_PRESENT : BC_UNIT_ABSENT;
	return 0;
}

static _Noreturn void child(int pipe_fd, const char *root, uint32_t uid, gid_t gid, const char *home, const char *name)
{
	struct answer reply = {};

	if (drop_files(pipe_fd) || limit_memory() || become(uid, gid) || find_answer(root, uid, home, name, &reply) ||
	    bc_write_all(PIPE_FD, (const char *)&reply, sizeof(reply)))
		_exit(1);
	_exit(0);
}

static int read_answer(int fd, struct answer *ret)
{
	int64_t end = bc_clock_ms() + INT64_C(1000) * BC_USERSIDE_SECONDS;
	size_t len = 0;

	while (len < sizeof(*ret)) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int64_t left = end - bc_clock_ms();
		int r = left > 0 ? poll(&ready, 1, left) : 0;
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -ETIMEDOUT;
		n = read(fd, (char *)ret + len, sizeof(*ret) - len);
		if (n <= 0)
			return n ? -errno : -EPROTO;
		len += n;
	}
	return 0;
}

/* Whoever the child has become in the meantime: dead it must be. */
static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int check_answer(struct answer *reply)
{
	struct bc_unit_facts *facts = &reply->facts;

	facts->id[sizeof(facts->id) - 1] = '\0';
	facts->slice[sizeof(facts->slice) - 1] = '\0';
	facts->cgroup[sizeof(facts->cgroup) - 1] = '\0';
	return facts->state >= BC_UNIT_ABSENT && facts->state <= BC_UNIT_PRESENT ? 0 : -EPROTO;
}

/* To become the user, and to end what has become one. */
static bool may_become(uint32_t uid)
{
	uint64_t held = 0;

	return geteuid() ? geteuid() == uid : !bc_privilege_held(&held) && !(BC_CAPS_UNITS & ~held);
}

int bc_userside_ask(const char *root, uint32_t uid, const char *name, struct bc_unit_facts *ret, bool *ret_managed)
{
	_cleanup_close_ int from_child = -1, to_parent = -1;
	_cleanup_free_ char *home = NULL;
	struct answer reply = {};
	gid_t gid = NOGROUP;
	int r, ends[2];
	pid_t pid;

	if (!may_become(uid))
		return -EPERM;
	r = bc_user_home(uid, &gid, &home);
	if (r && r != -ENOENT)
		return r;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	from_child = ends[0];
	to_parent = ends[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		child(to_parent, root, uid, gid, home, name);
	close(TAKE_FD(to_parent));
	r = read_answer(from_child, &reply);
	end_child(pid);
	if (!r)
		r = check_answer(&reply);
	if (r)
		return r;
	*ret = reply.facts;
	*ret_managed = reply.managed;
	return 0;
}
