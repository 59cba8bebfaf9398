// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/names.h"

#define ENTRY_MAX 1048576 /* bytes of one passwd entry; directories hold long ones */

/* One of getpwnam_r() and getpwuid_r(), with room that grows until the entry fits. */
static int look_up(const char *name, uid_t uid, struct passwd *entry, char **ret_buffer)
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
		/* "Not found" may come as one of these, by the manual and by NSS modules' habit. */
		if (!found)
			return !r || r == ENOENT || r == ESRCH ? -ENOENT : -r;
		*ret_buffer = TAKE_PTR(buffer);
		return 0;
	}
	return -ERANGE;
}

static int user_by_name(void *ctx, const char *name, uint32_t *ret_uid)
{
	_cleanup_free_ char *buffer = NULL;
	struct passwd entry;
	int r = look_up(name, 0, &entry, &buffer);

	(void)ctx;
	if (!r)
		*ret_uid = entry.pw_uid;
	return r;
}

const struct bc_names bc_host_names = { .user = user_by_name };

char *bc_user_name(uid_t uid)
{
	_cleanup_free_ char *buffer = NULL;
	struct passwd entry;

	return look_up(NULL, uid, &entry, &buffer) ? NULL : strdup(entry.pw_name);
}

int bc_user_home(uid_t uid, gid_t *ret_gid, char **ret_home)
{
	_cleanup_free_ char *buffer = NULL, *home = NULL;
	struct passwd entry;
	int r = look_up(NULL, uid, &entry, &buffer);

	if (r)
		return r;
	home = strdup(entry.pw_dir);
	if (!home)
		return -ENOMEM;
	*ret_gid = entry.pw_gid;
	*ret_home = TAKE_PTR(home);
	return 0;
}
