/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's user database, through NSS: local files, LDAP, systemd's dynamic users alike. */
#ifndef BINDCTL_NAMES_H
#define BINDCTL_NAMES_H

#include <sys/types.h>

#include "pure/resolve.h"

extern const struct bc_names bc_host_names;

/* The user's name, malloc'ed; NULL when the uid has none. */
char *bc_user_name(uid_t uid);

/* The user's group, and home malloc'ed. 0, -ENOENT when the uid has no user, or -errno when the question failed. */
int bc_user_home(uid_t uid, gid_t *ret_gid, char **ret_home);

#endif
