// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "kernel/pin.h"
#include "kernel/rights.h"

static int check_rights(const struct stat *st, const char *path, struct bc_error *reterr)
{
	if (st->st_uid != 0)
		return bc_fail(reterr, -EPERM,
			       "%s belongs to uid %u, not to root, who could take the policy out of force; remove it, "
			       "or run: chown root %s",
			       path, st->st_uid, path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return bc_fail(reterr, -EPERM,
			       "%s is writable by others than root (mode %04o), who could take the policy out of "
			       "force; run: chmod go-w %s",
			       path, st->st_mode & 07777, path);
	return 0;
}

int bc_pins_check_directory(const char *dir, struct bc_error *reterr)
{
	struct stat st;

	if (stat(dir, &st))
		return bc_fail_errno(reterr, -errno, "cannot stat %s", dir);
	return check_rights(&st, dir, reterr);
}

int bc_pins_check_rights(const char *dir, struct bc_error *reterr)
{
	int r = bc_pins_check_directory(dir, reterr);
	DIR *open = r ? NULL : opendir(dir);
	struct dirent *entry;

	if (r || !open)
		return r ? r : bc_fail_errno(reterr, -errno, "cannot read %s", dir);
	while (!r && (entry = readdir(open))) {
		char path[BC_PIN_MAX];
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		/* One that is gone by now is nobody's. */
		if (!fstatat(dirfd(open), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISLNK(st.st_mode) &&
		    !bc_pin_path(path, dir, entry->d_name, NULL))
			r = check_rights(&st, path, reterr);
	}
	closedir(open);
	return r;
}
