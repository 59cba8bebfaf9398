// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/names.h"

#define ENTRY_MAX 1048576 /* bytes of one passwd or group entry; directories hold long ones */

/* "Not found" may come as one of these, by the manual and by NSS modules' habit. */
static int not_found(int code)
{
	return !code || code == ENOENT || code == ESRCH ? -ENOENT : -code;
}

/* One of getpwnam_r() and getpwuid_r(), with room that grows until the entry fits. */
static int look_up_user(const char *name, uid_t uid, struct passwd *entry, char **ret_buffer)
{
	for (size_t size = 1024; size <= ENTRY_MAX; size *= 4) {
		_cleanup_free_ char *buffer = malloc(size);
		struct passwd *found = NULL;
		int r;

		if (!buffer)
			return -ENOMEM;
		r = name ? getpwnam_r(name, entry, buffer, size, &found) : getpwuid_r(uid, entry, buffer, size, &found);
		if (r == ERANGE)
			continue;
		if (!found)
			return not_found(r);
		*ret_buffer = TAKE_PTR(buffer);
		return 0;
	}
	return -ERANGE;
}

static int look_up_group(const char *name, gid_t gid, struct group *entry, char **ret_buffer)
{
	for (size_t size = 1024; size <= ENTRY_MAX; size *= 4) {
		_cleanup_free_ char *buffer = malloc(size);
		struct group *found = NULL;
		int r;

		if (!buffer)
			return -ENOMEM;
		r = name ? getgrnam_r(name, entry, buffer, size, &found) : getgrgid_r(gid, entry, buffer, size, &found);
		if (r == ERANGE)
			continue;
		if (!found)
			return not_found(r);
		*ret_buffer = TAKE_PTR(buffer);
		return 0;
	}
	return -ERANGE;
}

int bc_user_by_name(void *ctx, const char *name, uint32_t *ret_uid)
{
	_cleanup_free_ char *buffer = NULL;
	struct passwd entry;
	int r = look_up_user(name, 0, &entry, &buffer);

	(void)ctx;
	if (!r)
		*ret_uid = entry.pw_uid;
	return r;
}

int bc_group_by_name(void *ctx, const char *name, uint32_t *ret_gid)
{
	_cleanup_free_ char *buffer = NULL;
	struct group entry;
	int r = look_up_group(name, 0, &entry, &buffer);

	(void)ctx;
	if (!r)
		*ret_gid = entry.gr_gid;
	return r;
}

char *bc_user_name(uid_t uid)
{
	_cleanup_free_ char *buffer = NULL;
	struct passwd entry;

	return look_up_user(NULL, uid, &entry, &buffer) ? NULL : strdup(entry.pw_name);
}

char *bc_group_name(gid_t gid)
{
	_cleanup_free_ char *buffer = NULL;
	struct group entry;

	return look_up_group(NULL, gid, &entry, &buffer) ? NULL : strdup(entry.gr_name);
}

int bc_user_home(uid_t uid, gid_t *ret_gid, char **ret_home)
{
	_cleanup_free_ char *buffer = NULL, *home = NULL;
	struct passwd entry;
	int r = look_up_user(NULL, uid, &entry, &buffer);

	if (r)
		return r;
	home = strdup(entry.pw_dir);
	if (!home)
		return -ENOMEM;
	*ret_gid = entry.pw_gid;
	*ret_home = TAKE_PTR(home);
	return 0;
}

int bc_user_groups(uid_t uid, uint32_t *ret_gid, uint32_t **ret_groups, size_t *ret_n)
{
	_cleanup_free_ char *buffer = NULL;
	_cleanup_free_ gid_t *groups = NULL;
	struct passwd entry;
	int r = look_up_user(NULL, uid, &entry, &buffer), n = 64;

	if (r)
		return r;
	for (int room = 0; room < n;) {
		free(groups);
		room = n;
		groups = calloc(room, sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		/* Says in `n` how many there are. */
		if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &n) >= 0)
			break;
	}
	*ret_gid = entry.pw_gid;
	*ret_groups = TAKE_PTR(groups);
	*ret_n = n;
	return 0;
}
