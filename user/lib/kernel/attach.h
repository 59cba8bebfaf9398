/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs and the links that hold them at a cgroup. */
#ifndef BINDCTL_ATTACH_H
#define BINDCTL_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/image.h"

/* The hooks, one program and one link each. */
enum bc_hook {
	BC_HOOK_BIND4,
	BC_HOOK_BIND6,
	BC_HOOK_POST_BIND4,
	BC_HOOK_POST_BIND6,
	BC_HOOK_GETSOCKNAME4,
	BC_HOOK_GETSOCKNAME6,
	BC_HOOKS,
};

const char *bc_hook_name(enum bc_hook hook); /* "bind4"; also the link's pin */

/* Whether an image with those features (enum bc_feature) needs a program there. */
bool bc_hook_is_needed(enum bc_hook hook, uint32_t features);

/* What is known of one hook's link. */
struct bc_link {
	bool pinned;
	uint64_t cgroup_id; /* 0: the cgroup is gone, and the link with it */
	uint32_t prog_id;
};

/* Reads the pin. A pin that is not a link of that hook is -EBADMSG with a sentence. */
int bc_link_read(const char *dir, enum bc_hook hook, struct bc_link *ret_link, struct bc_error *reterr);

/* The programs that run at a hook of a cgroup, in the order in which they run. */
struct bc_effective {
	uint32_t ids[64]; /* BPF_CGROUP_MAX_PROGS, linux/bpf-cgroup-defs.h */
	uint32_t n;
};

int bc_effective_programs(int cgroup_fd, enum bc_hook hook, struct bc_effective *ret, struct bc_error *reterr);

/*
 * Makes sure that this build's programs are loaded, pinned in `dir` and linked to the cgroup, and opens what images are
 * put into force by. A hook that `features` do not need gets no program, for each costs every bind something; but
 * whatever is linked stays so, since a bind may be on its way from one hook to the next. Programs that are there
 * already and differ are replaced in place, without a moment in between; links to a cgroup that is gone are made anew.
 * What was in force stays in force. -errno with a sentence.
 */
int bc_attach(const char *dir, int cgroup_fd, const char *cgroup, uint32_t features, struct bc_force *ret_force,
	      struct bc_error *reterr);

/* Detaches and unpins the hook's link; one that is not there is no error. */
int bc_detach(const char *dir, enum bc_hook hook, struct bc_error *reterr);

/* Opens the pinned outer map; -ENOENT with a sentence when it is not there. */
int bc_open_policy(const char *dir, int *ret_fd, struct bc_error *reterr);

/* Opens what an image is put into force by; -ENOENT when something of it is not there. */
int bc_force_open(const char *dir, struct bc_force *ret_force, struct bc_error *reterr);

#endif
