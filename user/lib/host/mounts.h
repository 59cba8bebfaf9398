/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two file systems that the kernel's side lives in: cgroup2 and bpffs. */
#ifndef BINDCTL_MOUNTS_H
#define BINDCTL_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Where the cgroup2 hierarchy is mounted, malloc'ed: /sys/fs/cgroup, or …/unified beside v1. 0 or -errno. */
int bc_find_cgroup2(char **ret_path, struct bc_error *reterr);

/* Opens a directory of a cgroup2 file system; anything else, an empty path included, is refused with a sentence. */
int bc_open_cgroup(const char *path, int *ret_fd, struct bc_error *reterr);

/*
 * The topmost cgroup of the mount that an open one lies in, opened, and its path, malloc'ed. Where a container has
 * another's hierarchy mounted besides its own, this is that other one's root.
 */
int bc_cgroup_top(int fd, char **ret_path, int *ret_fd, struct bc_error *reterr);

/* The kernel's id of an open cgroup, as in links and in bpf_get_current_cgroup_id(). */
int bc_cgroup_id(int fd, uint64_t *ret_id);

/*
 * The path of the cgroup of that id below any one open cgroup's mount, malloc'ed; NULL when it is gone. Where the kernel
 * does not tell so long a path, that of one above it, and "/..." behind.
 */
char *bc_cgroup_path(int mount_fd, uint64_t id);

/* The same as policy and /proc/PID/cgroup name it: from the root of cgroup2. */
char *bc_cgroup_name(uint64_t id);

/*
 * Makes sure that `dir` (which need not exist) lies on a bpffs. With `may_mount`, the standard place, and nothing mounted
 * there, mounts it; *ret_mounted says so. 0, or -errno with a sentence: -ENOENT when it would have to be mounted.
 */
int bc_require_bpffs(const char *dir, bool may_mount, bool *ret_mounted, struct bc_error *reterr);

#define BC_BPFFS "/sys/fs/bpf" /* where every distribution mounts it */

#endif
