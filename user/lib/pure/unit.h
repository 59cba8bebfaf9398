/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd's unit names, and the cgroup that a unit has by systemd's documented rules (systemd.unit(5),
 * systemd.slice(5), systemd.resource-control(5), systemd.special(7)), whether or not systemd runs.
 *
 * What the rules cannot know, and host/systemd.h asks systemd for:
 * - what unit files say: a Slice= (the caller passes it on), and whether a name is an alias of another unit;
 * - what is made at run time: logind puts session-N.scope below a user's slice, machined machine-NAME.scope below
 *   machine.slice; mounts marked x-initrd.mount are in no slice;
 * - systemd's version: a controller's name before the type, as in cpu.service, is escaped by all (_cpu.service); before
 *   any other dot, as in cpu.foo.service, by 257 (which is followed here) but not by 252.
 */
#ifndef BINDCTL_UNIT_NAME_H
#define BINDCTL_UNIT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BC_UNIT_NAME_MAX 255  /* bytes of a unit's name, its type included */
#define BC_UNIT_PATH_MAX 4096 /* room for any cgroup path that the kernel takes, NUL included */

/*
 * Whether `name` names a unit that can have a cgroup: a service, scope, slice, socket, mount or swap, and no bare
 * template. 0, or -EINVAL with a sentence in `text` of `size` bytes. Names longer than 64 bytes are cut in it.
 */
int bc_unit_check(const char *name, size_t len, char *text, size_t size);

/*
 * The cgroup path of a unit, absolute and without a slash at its end; "/" for -.slice. `slice` is the unit's Slice=,
 * NULL or "" for the default; not looked at for slices, whose names are their paths. With `user` the unit is one of
 * the service manager of user `uid`.
 *
 * 0; -EINVAL for a name that bc_unit_check() refuses, or a slice that is none; -ENAMETOOLONG when the path does not fit
 * into `size` bytes, or a part of it into a file name. `path` is a string on success only.
 */
int bc_unit_path(const char *name, const char *slice, bool user, uint32_t uid, char *path, size_t size);

/* The type of a name that bc_unit_check() takes: "service". Points into `name`. */
const char *bc_unit_type(const char *name);

/* The name of an instance's template, foo@.service of foo@bar.service; false if `name` is no instance. */
bool bc_unit_template(const char *name, char template[BC_UNIT_NAME_MAX + 1]);

#endif
