// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "host/clock.h"
#include "host/lock.h"

#define STEP_MS 20

/* Who holds a lock on the inode, by /proc/locks; 0 when nobody is to be seen. */
static long find_holder(const struct stat *st)
{
	_cleanup_close_ int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *save = NULL;

	if (fd < 0 || bc_read_all(fd, 1 << 24, &text, &len))
		return 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned major, minor;
		unsigned long inode;
		long pid;

		if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%lu", &pid, &major, &minor, &inode) == 4 &&
		    inode == st->st_ino && major == major(st->st_dev) && minor == minor(st->st_dev))
			return pid;
	}
	return 0;
}

/* What the process calls itself: "1234 (bindctl)", or the number alone if it is not to be seen. */
static void describe(long pid, char *ret, size_t room)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -1;
	char path[64];
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !bc_read_all(fd, 64, &name, &len) && len && name[len - 1] == '\n')
		name[len - 1] = '\0';
	if (len && *name)
		snprintf(ret, room, "%ld (%s)", pid, name);
	else
		snprintf(ret, room, "%ld", pid);
}

static int fail_late(int fd, const char *path, unsigned seconds, struct bc_error *reterr)
{
	char who[96];
	struct stat st;
	long holder = fstat(fd, &st) ? 0 : find_holder(&st);

	if (holder) {
		describe(holder, who, sizeof(who));
		return bc_fail(reterr, -ETIMEDOUT, "process %s holds the lock on %s; gave up after %u s", who, path,
			       seconds);
	}
	return bc_fail(reterr, -ETIMEDOUT, "another process holds the lock on %s; gave up after %u s", path, seconds);
}

/* A moment, unless told to stop. */
static int nap(const struct bc_patience *patience, const char *path, struct bc_error *reterr)
{
	struct pollfd stop = { .fd = patience->stop_fd, .events = POLLIN };

	if (poll(&stop, stop.fd ? 1 : 0, STEP_MS) > 0)
		return bc_fail(reterr, -ECANCELED, "told to stop while another process held the lock on %s", path);
	return 0;
}

static int wait_for(int fd, const char *path, const struct bc_patience *patience, struct bc_error *reterr)
{
	const unsigned seconds = patience->seconds ? patience->seconds : BC_LOCK_SECONDS;
	/* Not so many steps: on a busy machine each takes longer than it should. */
	const int64_t end = bc_clock_ms() + seconds * INT64_C(1000);
	int r;

	do {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return bc_fail_errno(reterr, -errno, "cannot lock %s", path);
		r = nap(patience, path, reterr);
		if (r)
			return r;
	} while (bc_clock_ms() < end);
	return fail_late(fd, path, seconds, reterr);
}

/*
 * Whether it is neither root's nor our own user's: no writer of ours. Who cannot be seen may be one. Of what is in /proc the
 * directory of a process alone is always its effective user's.
 */
static bool is_stranger(long pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%ld", pid);
	return pid && !stat(path, &st) && st.st_uid && st.st_uid != geteuid();
}

int bc_lock_open_directory(const char *path, const struct bc_patience *patience, int *ret_fd, struct bc_error *ret_note,
			   struct bc_error *reterr)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int64_t end = bc_clock_ms() + BC_LOCK_OPEN_SECONDS * INT64_C(1000);
	char who[96] = "?";
	struct stat st;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	if (fstat(fd, &st))
		return bc_fail_errno(reterr, -errno, "cannot stat %s", path);
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		long holder;
		int r;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return bc_fail_errno(reterr, -errno, "cannot lock %s", path);
		holder = find_holder(&st);
		if (holder)
			describe(holder, who, sizeof(who));
		if (is_stranger(holder)) {
			bc_fail(ret_note, 0, "process %s, which is not root's, holds a lock on %s; went on without it",
				who, path);
			return 0;
		}
		if (bc_clock_ms() >= end) {
			bc_fail(ret_note, 0, "process %s holds a lock on %s; went on without it after %d s", who, path,
				BC_LOCK_OPEN_SECONDS);
			return 0;
		}
		r = nap(patience, path, reterr);
		if (r)
			return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bc_lock_directory(const char *path, const struct bc_patience *patience, int *ret_fd, struct bc_error *reterr)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat mine, now;
	int r;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	r = wait_for(fd, path, patience ? patience : &(const struct bc_patience){}, reterr);
	if (r)
		return r;
	/* Whoever held it may have removed the directory, and another may stand in its place. */
	if (fstat(fd, &mine) || stat(path, &now) || mine.st_ino != now.st_ino || mine.st_dev != now.st_dev)
		return bc_fail(reterr, -ESTALE, "%s was removed by another process; try again", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
