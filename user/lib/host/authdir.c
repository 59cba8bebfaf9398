// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/authdir.h"

#define USER_FILE_MAX (16u << 20) /* bytes of a byuid file */

static const char *const place_names[] = {
	[BC_AUTH_TOP] = ".",
	[BC_AUTH_BYPORT] = "byport",
	[BC_AUTH_BYADDR] = "byaddr",
	[BC_AUTH_BYUID] = "byuid",
};

/* The kernel's own form of a list, little-endian: the version, and then entries of two, two and four bytes. */
#define ACL_NAME "system.posix_acl_access"
#define ACL_VERSION 2u
#define ACL_ENTRIES 256u /* of more nothing is known */

struct acl {
	uint32_t version;
	struct {
		uint16_t tag, permissions;
		uint32_t id;
	} entries[ACL_ENTRIES];
};

enum acl_tag {
	ACL_OWNER = 1,
	ACL_USER = 2,
	ACL_GROUP = 4, /* the file's own */
	ACL_NAMED_GROUP = 8,
	ACL_MASK = 16,
	ACL_OTHERS = 32,
};

static bool has_acl(const char *path)
{
	return getxattr(path, ACL_NAME, NULL, 0) > 0;
}

/*
 * Adds the users and groups that the list names. -EOPNOTSUPP when it is not understood. The kernel takes no notice of a
 * list with an empty mask: then the mode, which shows the mask in the place of the group's bits, says it all.
 */
static int read_acl(const char *path, struct bc_auth_access *access)
{
	struct acl acl = {};
	ssize_t size = getxattr(path, ACL_NAME, &acl, sizeof(acl));
	size_t n = size > 4 ? (size - 4) / sizeof(acl.entries[0]) : 0;
	bool masked = !(access->mode & 010);

	if ((size < 0 && errno != ERANGE) || size == 0 || !(access->mode & 070))
		return 0;
	if (size < 0 || le32toh(acl.version) != ACL_VERSION)
		return -EOPNOTSUPP;
	access->entries = calloc(n + 1, sizeof(*access->entries));
	if (!access->entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		unsigned tag = le16toh(acl.entries[i].tag);
		bool may = le16toh(acl.entries[i].permissions) & 1 && !masked;

		if (tag == ACL_GROUP && !may)
			access->mode &= ~010u;
		if (tag == ACL_USER || tag == ACL_NAMED_GROUP)
			access->entries[access->n++] = (struct bc_auth_entry){ .id = le32toh(acl.entries[i].id),
									       .group = tag == ACL_NAMED_GROUP,
									       .may = may };
	}
	return 0;
}

/* Whether everybody may search the directories before what the path leads to. */
static bool is_reachable(const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	struct stat st;

	if (!real)
		return false;
	for (char *slash = strrchr(real, '/'); slash && slash != real; slash = strrchr(real, '/')) {
		*slash = '\0';
		if (stat(real, &st) || (st.st_mode & 0111) != 0111 || has_acl(real))
			return false;
	}
	return true;
}

/* Which bits of the mode let somebody execute it, as access(2) sees it. */
static uint32_t effective_mode(const char *path, const struct stat *st)
{
	struct statvfs fs;

	if (S_ISREG(st->st_mode) && !statvfs(path, &fs) && fs.f_flag & ST_NOEXEC)
		return st->st_mode & 07666;
	return st->st_mode & 07777;
}

/* A link to nothing is as if it were not there. What leads nowhere for another reason decides: against everybody. */
static int read_access(const char *path, bool place, struct bc_auth_access *ret, struct stat *ret_st,
		       struct bc_error *reterr)
{
	struct bc_auth_access access = { .exists = true };
	struct stat link;
	int r;

	if (stat(path, ret_st)) {
		if (errno == EACCES)
			return bc_fail_errno(reterr, -errno, "cannot look at %s", path);
		access.exists = errno != ENOENT;
		*ret_st = (struct stat){};
		*ret = access;
		return 0;
	}
	access.uid = ret_st->st_uid;
	access.gid = ret_st->st_gid;
	if (!place || S_ISDIR(ret_st->st_mode))
		access.mode = effective_mode(path, ret_st);
	if (place && has_acl(path))
		access.odd = "it has an access control list";
	else if (!lstat(path, &link) && S_ISLNK(link.st_mode) && !is_reachable(path))
		access.odd = "it is a link to where not everybody may come";
	r = access.odd || place ? 0 : read_acl(path, &access);
	if (r == -ENOMEM)
		return bc_fail(reterr, r, "out of memory");
	if (r)
		access.odd = "its access control list is not understood";
	*ret = access;
	return 0;
}

static int read_text(const char *path, struct bc_auth_file *file, struct bc_error *reterr)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r = fd < 0 ? -errno : bc_read_all(fd, USER_FILE_MAX, &file->text, &file->len);

	return r ? bc_fail_errno(reterr, r, "cannot read %s", path) : 0;
}

static int read_file(const char *dir, enum bc_auth_place place, const char *name, struct bc_auth *auth,
		     struct bc_error *reterr)
{
	_cleanup_free_ char *path = NULL;
	struct bc_auth_file file = { .place = place };
	struct stat st;
	int r;

	if (asprintf(&path, "%s/%s/%s", dir, place_names[place], name) < 0) {
		path = NULL;
		return bc_fail(reterr, -ENOMEM, "out of memory");
	}
	r = read_access(path, false, &file.access, &st, reterr);
	if (r || !file.access.exists)
		return r;
	if (place == BC_AUTH_BYUID && S_ISREG(st.st_mode))
		r = read_text(path, &file, reterr);
	file.name = strdup(name);
	if (!r && (!file.name || bc_grow(&auth->files, &auth->room, auth->n + 1)))
		r = bc_fail(reterr, -ENOMEM, "out of memory");
	if (!r) {
		auth->files[auth->n++] = file;
		return 0;
	}
	free(file.name);
	free(file.text);
	free(file.access.entries);
	return r;
}

static int is_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static int read_place(const char *dir, enum bc_auth_place place, struct bc_auth *auth, struct bc_error *reterr)
{
	_cleanup_free_ char *path = NULL;
	struct dirent **entries = NULL;
	struct stat st;
	int n, r;

	if (asprintf(&path, "%s/%s", dir, place_names[place]) < 0) {
		path = NULL;
		return bc_fail(reterr, -ENOMEM, "out of memory");
	}
	r = read_access(path, true, &auth->places[place], &st, reterr);
	if (r || place == BC_AUTH_TOP || !S_ISDIR(st.st_mode))
		return r;
	n = scandir(path, &entries, is_name, by_name);
	if (n < 0)
		return bc_fail_errno(reterr, -errno, "cannot list %s", path);
	for (int i = 0; i < n; i++) {
		if (!r)
			r = read_file(dir, place, entries[i]->d_name, auth, reterr);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int bc_auth_read(const char *dir, struct bc_auth *ret, struct bc_error *reterr)
{
	_cleanup_(bc_auth_done) struct bc_auth auth = {};
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open authbind's directory %s", dir);
	for (enum bc_auth_place place = BC_AUTH_TOP; !r && place < BC_AUTH_PLACES; place++)
		r = read_place(dir, place, &auth, reterr);
	if (r)
		return r;
	*ret = auth;
	auth = (struct bc_auth){};
	return 0;
}
