/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's own side of systemd: the user's service manager, and unit files at home.
 *
 * All of it is in the user's hands: the socket may be anybody's, who answers may lie, flood or never end, and a home may
 * be a file system that hangs. So a child process asks, which has become the user, has none of our files, little memory
 * and BC_USERSIDE_SECONDS to live. What it hands back is still only the user's word.
 */
#ifndef BINDCTL_USERSIDE_H
#define BINDCTL_USERSIDE_H

#include "host/manager.h"

#define BC_USERSIDE_SECONDS 2

/*
 * What user `uid` says of a unit: as the manager knows it (*ret_managed), or when none runs, BC_UNIT_PRESENT for a unit
 * with a file at home and BC_UNIT_ABSENT for one without. Every string in *ret is terminated, nothing else is checked.
 * `root` is put before every path.
 *
 * 0; -ETIMEDOUT; -EPROTO when there was no whole answer; -EPERM when this process cannot become the user; -errno.
 */
int bc_userside_ask(const char *root, uint32_t uid, const char *name, struct bc_unit_facts *ret, bool *ret_managed);

/* Whether one of the directories below `root` holds the unit's file, or its template's. `dirs` ends with NULL. */
bool bc_unit_file_exists(const char *root, const char *const *dirs, const char *name);

#endif
