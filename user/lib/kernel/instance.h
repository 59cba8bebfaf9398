/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One bindctl on this machine: a directory of pins, the cgroup it is attached to, and the policy in force. Several can
 * run side by side.
 */
#ifndef BINDCTL_INSTANCE_H
#define BINDCTL_INSTANCE_H

#include "host/lock.h"
#include "kernel/attach.h"
#include "kernel/force.h"
#include "kernel/image.h"
#include "kernel/pin.h"

struct bc_instance {
	const char *pins;	     /* directory under bpffs */
	const char *cgroup;	     /* where to attach; NULL: where it is attached, or else the root of cgroup2 */
	struct bc_patience patience; /* of a writer with others */
};

/*
 * The cgroup that the paths of policy begin at, opened, and its path, malloc'ed: the root of the cgroup2 mount that
 * instance->cgroup lies in, or without such a cgroup of the first one that this process sees.
 */
int bc_instance_root(const struct bc_instance *instance, char **ret_path, int *ret_fd, struct bc_error *reterr);

/*
 * Makes the pins' directory if need be and keeps every other writer out of it until *ret_fd is closed. With *ret_note,
 * a sentence for the user if a bpffs had to be mounted (else an empty one).
 */
int bc_instance_lock(const struct bc_instance *instance, int *ret_fd, struct bc_error *ret_note,
		     struct bc_error *reterr);

/*
 * Whether this instance takes CAP_SYS_ADMIN: to mount a bpffs (`changes`: which only a change does), or to read a policy
 * that an older build put into force, without a pin.
 */
bool bc_instance_takes_admin(const struct bc_instance *instance, bool changes);

/* Whether its pins are of an older schema than this build's, or have lost it. */
bool bc_instance_is_older(const struct bc_instance *instance);

/*
 * Brings such pins to this build's schema, without a moment in between: `cells` is the policy in force, from the files
 * that it came from, since the image of an older schema cannot be read. (If the files have changed meanwhile, IPv4 and
 * IPv6 may be decided by one and the other until this returns, or, when it was killed, until it is called again.)
 * Anything else is left alone. Under the lock.
 */
int bc_instance_migrate(const struct bc_instance *instance, const struct bc_cells *cells, struct bc_error *reterr);

/* A policy that the kernel holds ready. */
struct bc_staged {
	struct bc_force force;
	struct bc_gate needs;	      /* of the image */
	const struct bc_cells *cells; /* the caller's: what the image was made of */
	int image_fd;
	bool fresh;	/* nothing was loaded before */
	bool announced; /* the image has its pin */
};

#define BC_STAGED_NONE ((struct bc_staged){ .force = BC_FORCE_NONE, .image_fd = -1 })

void bc_staged_done(struct bc_staged *staged);

/*
 * All that can fail: attaches the programs if they are not, or do not know what the image needs (or, with `upgrade`,
 * in any case), and hands the image to the kernel. What is in force stays so. `cells` must last until the commit. Under
 * the lock.
 */
int bc_instance_stage(const struct bc_instance *instance, const struct bc_cells *cells, bool upgrade,
		      struct bc_staged *ret_staged, struct bc_error *reterr);

/* After a failure behind staging: leaves nothing loaded if nothing was. */
void bc_instance_undo(const struct bc_instance *instance, const struct bc_staged *staged);

/* Puts the staged policy into force. */
int bc_instance_commit(const struct bc_instance *instance, const struct bc_staged *staged, struct bc_error *reterr);

/* Withdraws the policy, detaches, removes the pins. *ret_was_loaded: there was something to remove. Under the lock. */
int bc_instance_unload(const struct bc_instance *instance, bool *ret_was_loaded, struct bc_error *reterr);

/* The policy in force; -ENOENT with a sentence when none is. */
int bc_instance_image(const struct bc_instance *instance, struct bc_cells *ret_image, struct bc_error *reterr);

#endif
