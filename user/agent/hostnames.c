// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "agent/hostnames.h"
#include "base/util.h"
#include "host/names.h"

static void close_file(FILE *const *file)
{
	if (*file)
		fclose(*file);
}

/* NULL and errno. */
static FILE *open_file(const struct hostnames *names, const char *name)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/etc/%s", names->root, name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(path, "re");
}

/* The end of a file and a failure look the same but for errno. */
static int not_found(FILE *file)
{
	return ferror(file) ? -EIO : -ENOENT;
}

static int user_in_file(void *ctx, const char *name, uint32_t *ret_uid)
{
	_cleanup_(close_file) FILE *file = open_file(ctx, "passwd");
	const struct passwd *entry;

	if (!file)
		/* That there is no file does not mean that there is no such user. */
		return errno == ENOENT ? -ENODATA : -errno;
	while ((entry = fgetpwent(file)))
		if (!strcmp(entry->pw_name, name)) {
			*ret_uid = entry->pw_uid;
			return 0;
		}
	return not_found(file);
}

static int group_in_file(void *ctx, const char *name, uint32_t *ret_gid)
{
	_cleanup_(close_file) FILE *file = open_file(ctx, "group");
	const struct group *entry;

	if (!file)
		return errno == ENOENT ? -ENODATA : -errno;
	while ((entry = fgetgrent(file)))
		if (!strcmp(entry->gr_name, name)) {
			*ret_gid = entry->gr_gid;
			return 0;
		}
	return not_found(file);
}

static int unit_path(void *ctx, const char *name, uint32_t uid, char **ret_path, bool *ret_known)
{
	struct hostnames *names = ctx;

	return bc_systemd_unit(&names->systemd, name, uid, ret_path, ret_known);
}

void hostnames_init(struct hostnames *ret, const char *root)
{
	*ret = (struct hostnames){
		.root = root,
		.systemd.root = root,
		.names = { .user = root ? user_in_file : bc_user_by_name,
			   .group = root ? group_in_file : bc_group_by_name,
			   .unit = unit_path,
			   .ctx = ret },
	};
}

void hostnames_close(struct hostnames *names)
{
	bc_systemd_done(&names->systemd);
}
