/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may execute a file, as access(2) answers it to authbind's helper. */
#ifndef BINDCTL_AUTHACCESS_H
#define BINDCTL_AUTHACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A user or group that an access control list names, its mask applied. */
struct bc_auth_entry {
	uint32_t id;
	bool group;
	bool may;
};

/*
 * The owner and the users that are named go by their own bit. For the others it is enough to be in one group that may;
 * who is in none of the groups is one of the rest. Also of directories, which are searched.
 */
struct bc_auth_access {
	bool exists;
	uint32_t uid, gid;
	uint32_t mode; /* permission bits; with a list those of the group are the group's own, not the mask */
	struct bc_auth_entry *entries;
	size_t n;
	const char *odd; /* what else decides, in words; not owned; NULL: nothing */
};

enum bc_auth_answer {
	BC_AUTH_NO,
	BC_AUTH_YES,
	BC_AUTH_BY_GROUP, /* it depends on which groups the user is in */
};

/* Nothing is known of one that is odd. */
enum bc_auth_answer bc_auth_ask(const struct bc_auth_access *access, uint32_t uid);

/* The bit of the owner or of a user that is named; false for others. */
bool bc_auth_user(const struct bc_auth_access *access, uint32_t uid, bool *ret_may);

bool bc_auth_group_may(const struct bc_auth_access *access, uint32_t gid);

/* How those fare who are neither the owner nor named. */
struct bc_auth_rest {
	bool others;
	bool some; /* the others, or the members of a group, may */
	bool all;  /* the others may, and the members of all groups */
};

struct bc_auth_rest bc_auth_rest(const struct bc_auth_access *access);

/* Whether it is known that they say the same of everybody. */
bool bc_auth_same(const struct bc_auth_access *a, const struct bc_auth_access *b);

#endif
