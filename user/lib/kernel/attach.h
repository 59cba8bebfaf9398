/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hooks, and the links that hold a program at each of them. */
#ifndef BINDCTL_ATTACH_H
#define BINDCTL_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct bc_programs;

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

/* The programs at a hook of a cgroup. */
struct bc_attached {
	uint32_t ids[64]; /* BPF_CGROUP_MAX_PROGS, linux/bpf-cgroup-defs.h */
	uint32_t n;
	bool overridable; /* attached with BPF_F_ALLOW_OVERRIDE */
};

/* Those that run there, those of the cgroups above included, in the order in which they run; or those attached there. */
int bc_query(int cgroup_fd, enum bc_hook hook, bool effective, struct bc_attached *ret, struct bc_error *reterr);

#define BC_PROGRAM_MAPS 16 /* more than a program of ours uses */

/* A program in the kernel. */
struct bc_program {
	char name[16];
	uint32_t nmaps;
	uint32_t maps[BC_PROGRAM_MAPS]; /* ids of the first of them */
};

/* 0 or -errno: -EPERM without CAP_SYS_ADMIN, which the kernel wants for whatever is named by a number. */
int bc_program_read(uint32_t id, struct bc_program *ret);

bool bc_program_is_ours(const struct bc_program *program, enum bc_hook hook); /* by its name */
bool bc_program_uses(const struct bc_program *program, uint32_t map_id);

/*
 * Links the programs to the cgroup and pins the links in `dir`. A hook that `features` do not need gets no program, for
 * each costs every bind something; but whatever is linked stays so, since a bind may be on its way from one hook to the
 * next. Programs that are there already are replaced in place, without a moment in between; links to a
 * cgroup that is gone are made anew. -errno with a sentence.
 */
int bc_attach(const char *dir, const struct bc_programs *programs, int cgroup_fd, const char *cgroup, uint32_t features,
	      struct bc_error *reterr);

/* Detaches and unpins the hook's link; one that is not there is no error. */
int bc_detach(const char *dir, enum bc_hook hook, struct bc_error *reterr);

#endif
