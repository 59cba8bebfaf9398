/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's users and groups, through NSS: local files, LDAP, systemd's dynamic users alike. */
#ifndef BINDCTL_NAMES_H
#define BINDCTL_NAMES_H

#include <stdint.h>
#include <sys/types.h>

/* For struct bc_names: 0, -ENOENT when nobody has the name, or -errno. */
int bc_user_by_name(void *ctx, const char *name, uint32_t *ret_uid);
int bc_group_by_name(void *ctx, const char *name, uint32_t *ret_gid);

/* The name, malloc'ed; NULL when the id has none. */
char *bc_user_name(uid_t uid);
char *bc_group_name(gid_t gid);

/* The user's group, and home malloc'ed. 0, -ENOENT when the uid has no user, or -errno when the question failed. */
int bc_user_home(uid_t uid, gid_t *ret_gid, char **ret_home);

/*
 * The groups that a login as the user of that uid would have: the primary one, and the supplementary ones (malloc'ed),
 * which hold the primary one, too. 0, -ENOENT for a uid without a user, or -errno.
 */
int bc_user_groups(uid_t uid, uint32_t *ret_gid, uint32_t **ret_groups, size_t *ret_n);

#endif
