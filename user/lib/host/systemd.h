/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a unit's name to its cgroup: systemd's own answer where it runs, else what its rules say (pure/unit.h).
 *
 * Who is believed. The system's manager is root's and is believed. A user's manager is the user's program, whatever it
 * calls itself: it is asked only when the caller names the user and the system knows no such unit, only by a child
 * process without rights (host/userside.h), and no answer of it leads out of the user's own subtree,
 * /user.slice/user-UID.slice/user@UID.service/, where the user may move processes about anyway. What remains in the
 * user's hands is whether a unit that the system does not have is one of the user's: a rule for a user and a unit that
 * is not installed can come to mean the user's own. Slices are no such unit, since the system has every slice that a
 * unit may yet be put into: a slice is a user's only by a file in the system's directories for users' units.
 */
#ifndef BINDCTL_SYSTEMD_H
#define BINDCTL_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BC_NO_USER UINT32_MAX

struct sd_bus;

/*
 * Questions share one connection, which the first opens. Zero-initialised is ready. Owns everything but `root`.
 * Not to be used across fork(2).
 */
struct bc_systemd {
	const char *root; /* put before every path, of files and sockets; NULL: the host's own. For tests. */
	struct sd_bus *bus;
	uint32_t *silent; /* users whose side failed to answer once, and is not asked again */
	size_t nsilent;
	size_t silent_room;
};

/*
 * The cgroup path of the unit, below the root of the cgroup2 hierarchy: *ret_path is malloc'ed, absolute, without empty,
 * "." and ".." parts and without a slash at its end; "/" for -.slice. There need not be such a cgroup (yet).
 *
 * `uid` is the user whose unit it may be if the system has none of that name; BC_NO_USER for none. *ret_known says
 * whether anything knows the unit: a manager, or where none runs a unit file. The path of an unknown one is that of a
 * system unit.
 *
 * 0; -EINVAL for a name that bc_unit_check() refuses; -ENAMETOOLONG; -EBADMSG when the system's manager gives no path;
 * -errno when systemd runs and cannot be asked. A user's side that fails is no error. It takes at most
 * BC_USERSIDE_SECONDS for each user whose manager hangs.
 *
 * Where no systemd, or no manager of the user's, runs, aliases and Slice= in unit files are not followed.
 */
int bc_systemd_unit(struct bc_systemd *systemd, const char *name, uint32_t uid, char **ret_path, bool *ret_known);

void bc_systemd_done(struct bc_systemd *systemd);

#endif
