// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "host/mounts.h"
#include "agent/intent/object.h"
#include "agent/leftover.h"

int leftover_top(const char *cgroup)
{
	_cleanup_free_ char *found = NULL, *path = NULL;
	_cleanup_close_ int fd = -1;
	struct bc_error error;
	int top = -1;

	if (!cgroup && bc_find_cgroup2(&found, &error))
		return -1;
	if (bc_open_cgroup(cgroup ? cgroup : found, &fd, &error) || bc_cgroup_top(fd, &path, &top, &error))
		return -1;
	return top;
}

bool leftover_has_cgroup(const struct podpath_config *config, int top, const struct pod *pod)
{
	char path[PODPATH_MAX];

	for (struct podpath_place place = {}; podpath_next(config, pod->qos, &place);)
		if (!podpath(config, place.driver, place.qos, pod->id, path, sizeof(path), NULL) &&
		    (!faccessat(top, path + 1, F_OK, 0) || errno != ENOENT))
			return true;
	return false;
}

struct look {
	const struct podpath_config *config;
	const char *cgroup;
	int top; /* once `opened` */
	bool opened;
};

static bool is_there(void *ctx, const struct pod *pod)
{
	struct look *look = ctx;

	if (!look->opened)
		look->top = leftover_top(look->cgroup);
	look->opened = true;
	return look->top < 0 || leftover_has_cgroup(look->config, look->top, pod);
}

int leftover_forget(struct state *state, const struct podpath_config *config, const char *cgroup)
{
	struct look look = { .config = config, .cgroup = cgroup, .top = -1 };
	int change = state_forget(state, is_there, &look);

	bc_closep(&look.top);
	return change;
}

/* The uid in a cgroup's name, of which podpath() has put `before` and `behind` around it; false: it is no pod's. */
static bool take_uid(const char *name, const char *before, const char *behind, char uid[PODPATH_UID_MAX + 1])
{
	size_t len = strlen(name), head = strlen(before), tail = strlen(behind);

	if (len <= head + tail || len - head - tail > PODPATH_UID_MAX || strncmp(name, before, head) != 0 ||
	    strcmp(name + len - tail, behind) != 0)
		return false;
	snprintf(uid, PODPATH_UID_MAX + 1, "%.*s", (int)(len - head - tail), name + head);
	/* systemd's names, which alone have an end, have the uid's dashes as underscores. */
	for (char *c = uid; tail && *c; c++)
		if (*c == '_')
			*c = '-';
	return podpath_uid_ok(uid);
}

/* The pods of one directory; `path` is what that of one with the uid "0" is. Cuts it up. Whether there was a new one. */
static bool find_in(struct state *state, int top, char *path)
{
	char *before = strrchr(path, '/'), *behind = strrchr(path, '0'), uid[PODPATH_UID_MAX + 1];
	struct dirent *entry;
	bool found = false;
	DIR *dir;
	int fd;

	*before++ = *behind++ = '\0';
	fd = openat(top, path + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)))
		if (take_uid(entry->d_name, before, behind, uid) && state_leftover(state, uid) == STATE_CHANGED)
			found = true;
	if (dir)
		closedir(dir);
	return found;
}

int leftover_find(struct state *state, const struct podpath_config *config, const char *cgroup)
{
	_cleanup_close_ int top = leftover_top(cgroup);
	char path[PODPATH_MAX];
	bool found = false;

	for (struct podpath_place place = {}; top >= 0 && podpath_next(config, POD_QOS_CLASSES, &place);)
		if (!podpath(config, place.driver, place.qos, "0", path, sizeof(path), NULL) &&
		    find_in(state, top, path))
			found = true;
	return found ? STATE_CHANGED : STATE_UNCHANGED;
}
