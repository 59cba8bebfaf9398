// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/authaccess.h"

enum bc_auth_answer bc_auth_ask(const struct bc_auth_access *access, uint32_t uid)
{
	struct bc_auth_rest rest = bc_auth_rest(access);
	bool may;

	if (access->odd)
		return BC_AUTH_NO;
	if (bc_auth_user(access, uid, &may))
		return may ? BC_AUTH_YES : BC_AUTH_NO;
	if (rest.all)
		return BC_AUTH_YES;
	return rest.some ? BC_AUTH_BY_GROUP : BC_AUTH_NO;
}

bool bc_auth_user(const struct bc_auth_access *access, uint32_t uid, bool *ret_may)
{
	if (access->uid == uid) {
		*ret_may = access->mode & 0100;
		return true;
	}
	for (size_t i = 0; i < access->n; i++) {
		if (access->entries[i].group || access->entries[i].id != uid)
			continue;
		*ret_may = access->entries[i].may;
		return true;
	}
	return false;
}

bool bc_auth_group_may(const struct bc_auth_access *access, uint32_t gid)
{
	bool may = access->gid == gid && access->mode & 010;

	for (size_t i = 0; i < access->n; i++)
		may |= access->entries[i].group && access->entries[i].id == gid && access->entries[i].may;
	return may;
}

struct bc_auth_rest bc_auth_rest(const struct bc_auth_access *access)
{
	bool others = access->mode & 01, group = bc_auth_group_may(access, access->gid);
	struct bc_auth_rest rest = { .others = others, .some = others || group, .all = others && group };

	for (size_t i = 0; i < access->n; i++) {
		bool may = bc_auth_group_may(access, access->entries[i].id);

		if (!access->entries[i].group)
			continue;
		rest.some |= may;
		rest.all &= may;
	}
	return rest;
}

bool bc_auth_same(const struct bc_auth_access *a, const struct bc_auth_access *b)
{
	return !a->odd && !b->odd && !a->n && !b->n && a->uid == b->uid && a->gid == b->gid &&
	       (a->mode & 0111) == (b->mode & 0111);
}
