// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/store.h"
#include "pure/moment.h"
#include "pure/parse.h"

struct bc_store bc_store_system(void)
{
	return (struct bc_store){
		.dirs = { "/usr/lib/bindctl/policy.d", "/run/bindctl/policy.d", "/etc/bindctl/policy.d" },
		.ndirs = 3,
		.persistent = "/etc/bindctl/policy.d",
		.runtime = "/run/bindctl/policy.d",
	};
}

struct bc_store bc_store_at(const char *dir)
{
	return (struct bc_store){ .dirs = { dir }, .ndirs = 1, .persistent = dir, .runtime = dir, .required = true };
}

void bc_file_done(struct bc_file *file)
{
	free(file->path);
	free(file->text);
	*file = (struct bc_file){};
}

void bc_files_done(struct bc_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		bc_file_done(&files->items[i]);
	free(files->items);
	*files = (struct bc_files){};
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Only root may have written it: owner root, nobody else with the right to write. */
static int check_safe(const struct stat *st, const char *path, struct bc_error *reterr)
{
	if (st->st_uid != 0)
		return bc_fail(reterr, -EPERM, "%s belongs to uid %u, not to root; refusing to trust it", path,
			       st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return bc_fail(reterr, -EPERM,
			       "%s is writable by others than its owner (mode %04o); run: chmod go-w %s", path,
			       st->st_mode & 07777, path);
	return 0;
}

static int open_directory(const char *path, int *ret_fd, struct bc_error *reterr)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open the policy directory %s", path);
	if (fstat(fd, &st))
		return bc_fail_errno(reterr, -errno, "cannot stat %s", path);
	r = check_safe(&st, path, reterr);
	if (!r)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* A time that no moment can be, which a file can have all the same, is their end. */
static int64_t when_written(const struct stat *st)
{
	int64_t moment;

	if (__builtin_mul_overflow(st->st_mtim.tv_sec, BC_SECOND, &moment) ||
	    __builtin_add_overflow(moment, st->st_mtim.tv_nsec, &moment) || moment > BC_MOMENT_END)
		return BC_MOMENT_END;
	return moment;
}

/* Reads a regular file that only root could have written, or (any: true) whatever can be read. */
static int read_file(const char *path, bool any, struct bc_file *ret_file, struct bc_error *reterr)
{
	/* O_NONBLOCK: a FIFO of that name must not hold us up. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | (any ? 0 : O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
	_cleanup_(bc_file_done) struct bc_file file = {};
	struct stat st;
	int r;

	if (fd < 0 && errno == ELOOP && !any)
		return bc_fail(reterr, -ELOOP, "%s is a symbolic link; policy must be in regular files", path);
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	if (fstat(fd, &st))
		return bc_fail_errno(reterr, -errno, "cannot stat %s", path);
	if (S_ISDIR(st.st_mode))
		return bc_fail(reterr, -EISDIR, "%s is a directory", path);
	if (!any) {
		if (!S_ISREG(st.st_mode))
			return bc_fail(reterr, -EINVAL, "%s is not a regular file", path);
		r = check_safe(&st, path, reterr);
		if (r)
			return r;
	}
	r = bc_read_all(fd, BC_FILE_MAX, &file.text, &file.len);
	if (r == -EFBIG)
		return bc_fail(reterr, r, "%s is larger than %u MiB", path, BC_FILE_MAX >> 20);
	if (r)
		return bc_fail_errno(reterr, r, "cannot read %s", path);
	file.path = strdup(path);
	if (!file.path)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	*ret_file = (struct bc_file){
		.path = TAKE_PTR(file.path),
		.text = TAKE_PTR(file.text),
		.len = file.len,
		.written = when_written(&st),
	};
	return 0;
}

int bc_file_read(const char *path, struct bc_file *ret_file, struct bc_error *reterr)
{
	return read_file(path, true, ret_file, reterr);
}

/* Where a file of that name stands or would stand. */
static size_t position(const struct bc_files *files, const char *name)
{
	size_t at = files->n;

	while (at > 0 && strcmp(name_of(files->items[at - 1].path), name) >= 0)
		at--;
	return at;
}

/* Takes the file over. Of two with the same name the one that comes later counts. */
static int insert_file(struct bc_files *files, struct bc_file *file)
{
	size_t at = position(files, name_of(file->path));

	if (at < files->n && !strcmp(name_of(files->items[at].path), name_of(file->path))) {
		bc_file_done(&files->items[at]);
	} else {
		if (bc_grow(&files->items, &files->room, files->n + 1))
			return -ENOMEM;
		memmove(&files->items[at + 1], &files->items[at], (files->n - at) * sizeof(*files->items));
		files->n++;
	}
	files->items[at] = *file;
	*file = (struct bc_file){};
	return 0;
}

/* A policy file's name; what begins with a dot is being written, or hidden on purpose. */
static int is_policy_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

/* Adds the directory's policy files by name; what they say is read when it is known which of them count. */
static int list_directory(const char *dir, bool required, struct bc_files *files, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	struct dirent **entries = NULL;
	int r, n;

	r = open_directory(dir, &fd, reterr);
	if (r)
		return r == -ENOENT && !required ? 0 : r;
	n = scandirat(fd, ".", &entries, is_policy_file, alphasort);
	if (n < 0)
		return bc_fail_errno(reterr, -errno, "cannot list %s", dir);
	for (int i = 0; i < n; i++) {
		struct bc_file file = {};

		if (!r && asprintf(&file.path, "%s/%s", dir, entries[i]->d_name) < 0) {
			file.path = NULL;
			r = bc_fail(reterr, -ENOMEM, "out of memory");
		}
		if (!r && insert_file(files, &file))
			r = bc_fail(reterr, -ENOMEM, "out of memory");
		bc_file_done(&file);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int bc_store_read(const struct bc_store *store, struct bc_files *ret_files, struct bc_error *reterr)
{
	_cleanup_(bc_files_done) struct bc_files files = {};

	for (size_t i = 0; i < store->ndirs; i++) {
		int r = list_directory(store->dirs[i], store->required, &files, reterr);

		if (r)
			return r;
	}
	for (size_t i = 0; i < files.n; i++) {
		struct bc_file file;
		int r = read_file(files.items[i].path, false, &file, reterr);

		if (r)
			return r;
		bc_file_done(&files.items[i]);
		files.items[i] = file;
	}
	*ret_files = files;
	files = (struct bc_files){};
	return 0;
}

struct bc_file *bc_files_find(const struct bc_files *files, const char *path)
{
	for (size_t i = 0; i < files->n; i++)
		if (!strcmp(files->items[i].path, path))
			return &files->items[i];
	return NULL;
}

int bc_files_set(struct bc_files *files, const char *path, const char *text, size_t len, int64_t written)
{
	_cleanup_(bc_file_done) struct bc_file file = {
		.path = strdup(path), .text = malloc(len + 1), .len = len, .written = written
	};

	if (!file.path || !file.text)
		return -ENOMEM;
	memcpy(file.text, text, len);
	file.text[len] = '\0';
	return insert_file(files, &file);
}

char *bc_store_path(const struct bc_store *store, bool runtime)
{
	const char *name = store->runtime_file ? store->runtime_file : BC_FILE_RUNTIME;
	char *path;

	if (asprintf(&path, "%s/%s", runtime ? store->runtime : store->persistent,
		     runtime ? name : BC_FILE_PERSISTENT) < 0)
		return NULL;
	return path;
}

/* mkdir -p, as root's own and closed to others' writing. */
static int make_directories(const char *path, struct bc_error *reterr)
{
	_cleanup_free_ char *part = strdup(path);

	if (!part)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	for (char *slash = part + 1;; *slash++ = '/') {
		slash = strchrnul(slash, '/');
		if (!*slash)
			break;
		*slash = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return bc_fail_errno(reterr, -errno, "cannot create %s", part);
	}
	if (mkdir(path, 0755) && errno != EEXIST)
		return bc_fail_errno(reterr, -errno, "cannot create %s", path);
	return 0;
}

int bc_store_prepare(const struct bc_store *store, bool runtime, struct bc_error *reterr)
{
	const char *dir = runtime ? store->runtime : store->persistent;
	_cleanup_close_ int fd = -1;
	int r = make_directories(dir, reterr);

	return r ? r : open_directory(dir, &fd, reterr);
}

/* `mode`: of the file that this one replaces. */
static int write_aside(int dirfd, const char *aside, mode_t mode, const char *text, size_t len)
{
	_cleanup_close_ int fd = -1;
	int r;

	/* Whatever stands there was left by a writer that died: we hold the lock. */
	if (unlinkat(dirfd, aside, 0) && errno != ENOENT)
		return -errno;
	fd = openat(dirfd, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = bc_write_all(fd, text, len);
	if (!r && (fchmod(fd, mode) || fsync(fd)))
		r = -errno;
	return r;
}

int bc_store_replace(const char *path, const char *text, size_t len, struct bc_error *reterr)
{
	_cleanup_free_ char *dir = strndup(path, name_of(path) - path);
	_cleanup_free_ char *aside = NULL;
	_cleanup_close_ int dirfd = -1;
	mode_t mode = 0644;
	struct stat st;
	int r;

	if (!dir || asprintf(&aside, BC_FILE_ASIDE, name_of(path)) < 0) {
		aside = NULL;
		return bc_fail(reterr, -ENOMEM, "out of memory");
	}
	r = open_directory(*dir ? dir : ".", &dirfd, reterr);
	if (r)
		return r;
	if (!fstatat(dirfd, name_of(path), &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
		mode = st.st_mode & 0755;
	r = write_aside(dirfd, aside, mode, text, len);
	if (!r && renameat(dirfd, aside, dirfd, name_of(path)))
		r = -errno;
	if (r) {
		unlinkat(dirfd, aside, 0);
		return bc_fail_errno(reterr, r, "cannot write %s", path);
	}
	if (fsync(dirfd))
		return bc_fail_errno(reterr, -errno, "cannot sync %s", dir);
	return 0;
}

void bc_store_put_back(const struct bc_file *before)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   { before->written / BC_SECOND, before->written % BC_SECOND } };
	struct stat st;

	if (!before->text) {
		unlink(before->path);
		return;
	}
	/* As it was: nothing had come of the change yet. */
	if (!stat(before->path, &st) && st.st_mtim.tv_sec == times[1].tv_sec && st.st_mtim.tv_nsec == times[1].tv_nsec)
		return;
	/* Its directory may be what cannot be synced: the file is there all the same. */
	bc_store_replace(before->path, before->text, before->len, NULL);
	/* `until +TIME` counts from then. */
	utimensat(AT_FDCWD, before->path, times, AT_SYMLINK_NOFOLLOW);
}
