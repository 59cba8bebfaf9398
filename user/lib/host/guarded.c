// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "host/guarded.h"

static bool is_trusted(uid_t uid)
{
	return !uid || uid == geteuid();
}

/* `holds`: what counts is a directory in it, which nobody else can remove from one that is sticky. */
static int check(const char *path, bool holds, struct bc_error *reterr)
{
	_cleanup_(bc_text_done) struct bc_text word = {};
	struct stat link, st;

	bc_text_add_word(&word, path);
	if (lstat(path, &link) || stat(path, &st))
		return 0;
	if (!is_trusted(link.st_uid))
		st = link;
	if (!is_trusted(st.st_uid))
		return bc_fail(reterr, -EPERM,
			       "%s belongs to uid %u, who could remove what is pinned there; remove it, or give "
			       "another --pin",
			       path, st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH) && !(holds && st.st_mode & S_ISVTX))
		return bc_fail(reterr, -EPERM,
			       "%s is writable by others, who could remove what is pinned there (mode %04o); run: "
			       "chmod go-w %s",
			       path, st.st_mode & 07777, word.failed ? "" : word.data);
	return 0;
}

/* Cuts off slashes at the end; the root keeps its one. */
static void cut_slashes(char *path)
{
	for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
}

int bc_check_guarded(const char *dir, struct bc_error *reterr)
{
	_cleanup_free_ char *path = strdup(dir);
	char *slash;
	int r;

	if (!path)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	cut_slashes(path);
	r = check(path, false, reterr);
	if (r)
		return r;
	slash = strrchr(path, '/');
	if (!slash)
		return check(".", true, reterr);
	slash[1] = '\0';
	cut_slashes(path);
	return check(path, true, reterr);
}

static int check_entry(const char *path, const struct stat *st, struct bc_error *reterr)
{
	_cleanup_(bc_text_done) struct bc_text word = {};

	bc_text_add_word(&word, path);
	if (!is_trusted(st->st_uid))
		return bc_fail(reterr, -EPERM, "%s belongs to uid %u, who could write to it; run: chown root %s", path,
			       st->st_uid, word.failed ? "" : word.data);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return bc_fail(reterr, -EPERM,
			       "%s is writable by others, who could change what it decides (mode %04o); run: "
			       "chmod go-w %s",
			       path, st->st_mode & 07777, word.failed ? "" : word.data);
	return 0;
}

int bc_check_guarded_inside(const char *dir, struct bc_error *reterr)
{
	DIR *open = opendir(dir);
	struct dirent *entry;
	char path[PATH_MAX];
	struct stat st;
	int r = 0;

	if (!open)
		return bc_fail_errno(reterr, -errno, "cannot read %s", dir);
	while (!r && (entry = readdir(open))) {
		/* One that is gone by now is nobody's. */
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(dirfd(open), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || S_ISLNK(st.st_mode))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		r = check_entry(path, &st, reterr);
	}
	closedir(open);
	return r;
}
