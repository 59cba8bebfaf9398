// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/util.h"
#include "host/mounts.h"

int bc_find_cgroup2(char **ret_path, struct bc_error *reterr)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry, room;
	char buffer[8192], *path = NULL;

	if (!mounts)
		return bc_fail_errno(reterr, -errno, "cannot read /proc/self/mounts");
	while (!path && (entry = getmntent_r(mounts, &room, buffer, sizeof(buffer))))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			path = strdup(entry->mnt_dir);
	endmntent(mounts);
	if (!path)
		return bc_fail(reterr, -ENOENT,
			       "no cgroup2 file system is mounted; run: mount -t cgroup2 none /sys/fs/cgroup");
	*ret_path = path;
	return 0;
}

int bc_open_cgroup(const char *path, int *ret_fd, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	struct statfs fs;

	if (!*path)
		return bc_fail(reterr, -EINVAL, "the cgroup path is empty");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open the cgroup %s", path);
	if (fstatfs(fd, &fs))
		return bc_fail_errno(reterr, -errno, "cannot stat %s", path);
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return bc_fail(reterr, -EINVAL, "%s is not a cgroup of the cgroup2 hierarchy", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A cgroup's file handle is its id: kernfs, linux/exportfs.h's FILEID_KERNFS. */
struct cgroup_handle {
	struct file_handle handle;
	uint64_t id;
};

#define KERNFS_HANDLE 0xfe

/* And the number of the mount that it was opened in. */
static int identify(int fd, uint64_t *ret_id, int *ret_mount)
{
	struct cgroup_handle handle = { .handle.handle_bytes = sizeof(handle.id) };

	if (name_to_handle_at(fd, "", &handle.handle, ret_mount, AT_EMPTY_PATH))
		return -errno;
	if (handle.handle.handle_bytes != sizeof(handle.id))
		return -EINVAL;
	memcpy(ret_id, handle.handle.f_handle, sizeof(*ret_id));
	return 0;
}

int bc_cgroup_id(int fd, uint64_t *ret_id)
{
	int mount;

	return identify(fd, ret_id, &mount);
}

/* Where an open directory is, malloc'ed. */
static char *path_of(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return NULL;
	path[len] = '\0';
	return strdup(path);
}

/* Whether the directory above is still one of the same mount; for "/", which is above itself, it is not. */
static bool is_above(int fd, int above)
{
	uint64_t id = 0, id_above = 0;
	int mount = 0, mount_above = 0;
	struct statfs fs;

	return !fstatfs(above, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC && !identify(fd, &id, &mount) &&
	       !identify(above, &id_above, &mount_above) && id != id_above && mount == mount_above;
}

int bc_cgroup_top(int fd, char **ret_path, int *ret_fd, struct bc_error *reterr)
{
	_cleanup_close_ int top = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), readable = -1;
	char *path;

	while (top >= 0) {
		_cleanup_close_ int above = openat(top, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (above < 0 || !is_above(top, above))
			break;
		close(top);
		top = TAKE_FD(above);
	}
	readable = top < 0 ? -1 : openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (readable < 0)
		return bc_fail_errno(reterr, -errno, "cannot open the root of the cgroup's mount");
	path = path_of(readable);
	if (!path)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	*ret_path = path;
	*ret_fd = TAKE_FD(readable);
	return 0;
}

/*
 * The same for a cgroup. Whoever owns one can make them deeper than a path can be: of those the part that is one, with
 * "/..." behind it, which is further than any rule goes.
 */
static char *place_of(int fd)
{
	_cleanup_close_ int at = -1;
	char *path = path_of(fd), *place = NULL;

	if (path || errno != ENAMETOOLONG)
		return path;
	at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (at >= 0 && !path && errno == ENAMETOOLONG) {
		int above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = above;
		path = at < 0 ? NULL : path_of(at);
	}
	if (path && asprintf(&place, "%s/...", path) < 0)
		place = NULL;
	free(path);
	return place;
}

/* Looks for the cgroup by going through all of them. */
/* NOLINTNEXTLINE(misc-no-recursion): each level holds a descriptor, so there is an end to it */
static char *search_cgroup(int fd, uint64_t wanted)
{
	struct dirent *entry;
	char *path = NULL;
	uint64_t id = 0;
	DIR *open;
	int again;

	if (!bc_cgroup_id(fd, &id) && id == wanted)
		return place_of(fd);
	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	open = again < 0 ? NULL : fdopendir(again);
	if (!open)
		bc_closep(&again);
	while (open && !path && (entry = readdir(open))) {
		_cleanup_close_ int below = -1;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			path = search_cgroup(below, wanted);
	}
	if (open)
		closedir(open);
	return path;
}

char *bc_cgroup_path(int mount_fd, uint64_t id)
{
	struct cgroup_handle handle = { .handle = { .handle_bytes = sizeof(id), .handle_type = KERNFS_HANDLE } };
	_cleanup_close_ int fd = -1;

	memcpy(handle.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(mount_fd, &handle.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		/* That takes CAP_DAC_READ_SEARCH; to search takes time. */
		return errno == EPERM ? search_cgroup(mount_fd, id) : NULL;
	return place_of(fd);
}

char *bc_cgroup_name(uint64_t id)
{
	_cleanup_free_ char *root = NULL, *path = NULL;
	_cleanup_close_ int fd = -1;
	size_t len;

	if (!id || bc_find_cgroup2(&root, NULL) || !root || bc_open_cgroup(root, &fd, NULL))
		return NULL;
	path = bc_cgroup_path(fd, id);
	len = strlen(root);
	if (!path || strncmp(path, root, len))
		return NULL;
	return strdup(path[len] ? path + len : "/");
}

/* The file system of the nearest part of the path that exists. */
static int statfs_nearest(const char *path, struct statfs *ret)
{
	_cleanup_free_ char *part = strdup(path);

	while (part) {
		char *slash;

		if (!statfs(part, ret))
			return 0;
		/* EPERM: bpffs answers so to a name with a dot. */
		if (errno != ENOENT && errno != EPERM)
			return -errno;
		slash = strrchr(part, '/');
		if (!slash)
			return statfs(".", ret) ? -errno : 0;
		slash[slash == part] = '\0';
	}
	return -ENOMEM;
}

int bc_require_bpffs(const char *dir, bool may_mount, bool *ret_mounted, struct bc_error *reterr)
{
	const char *name = strrchr(dir, '/') ? strrchr(dir, '/') + 1 : dir;
	struct statfs fs;
	int r = statfs_nearest(dir, &fs);

	*ret_mounted = false;
	if (r)
		return bc_fail_errno(reterr, r, "cannot stat %s", dir);
	if (fs.f_type == BPF_FS_MAGIC)
		return strchr(name, '.') ?
			       bc_fail(reterr, -EINVAL, "%s: a BPF file system takes no name with a dot", dir) :
			       0;
	if (strncmp(dir, BC_BPFFS "/", strlen(BC_BPFFS) + 1))
		return bc_fail(reterr, -EINVAL,
			       "%s is not on a BPF file system (bpffs); give a directory below " BC_BPFFS, dir);
	if (!may_mount)
		return bc_fail(reterr, -ENOENT, "no BPF file system is mounted at %s; run: mount -t bpf bpf %s",
			       BC_BPFFS, BC_BPFFS);
	if (mount("bpf", BC_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, "mode=700"))
		return bc_fail_errno(reterr, -errno, "cannot mount a BPF file system at %s", BC_BPFFS);
	*ret_mounted = true;
	return 0;
}
