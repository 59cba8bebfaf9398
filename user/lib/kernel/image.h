/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled images in the kernel: one BPF array each, written once, frozen, and put into the one slot of bc_policy. */
#ifndef BINDCTL_IMAGE_H
#define BINDCTL_IMAGE_H

#include "base/error.h"
#include "pure/compile.h"

/* What an image says that is not compiled: see struct bc_header and struct bc_about. */
struct bc_imprint {
	uint64_t generation;
	uint64_t root;
	uint64_t epoch;
	int32_t tai_offset;
};

/*
 * The imprint of an image of `cells` that is to follow what is in force, if anything is. `dir` has the pins, `root` is the id of the cgroup
 * that paths begin at. 0 or -errno with *reterr.
 */
int bc_imprint_make(const char *dir, const struct bc_cells *cells, int policy_fd, uint64_t root, struct bc_imprint *ret,
		    struct bc_error *reterr);

/* Makes a frozen map that holds the cells, with that imprint; nothing enforces it yet. */
int bc_image_create(const struct bc_cells *cells, const struct bc_imprint *imprint, int *ret_fd,
		    struct bc_error *reterr);

/* Where an image is put into force: the pinned maps `bc_policy` and `bc_gate`. */
struct bc_force {
	int policy_fd;
	int gate_fd;
};

#define BC_FORCE_NONE ((struct bc_force){ .policy_fd = -1, .gate_fd = -1 })

void bc_force_done(struct bc_force *force);

/* Has the gate let everything through: what is in force, unknown here, is then decided as it should be. */
int bc_gate_open(const struct bc_force *force, struct bc_error *reterr);

/*
 * Puts the image into force, in one step for every program; `needs` is what it needs of the gate (bc_gate_needs()).
 * When it returns 0, no bind is still being decided by the one before.
 */
int bc_image_publish(const struct bc_force *force, int image_fd, const struct bc_gate *needs, struct bc_error *reterr);

/* Leaves every bind to the kernel's own rule, in one step. */
int bc_image_withdraw(int policy_fd, struct bc_error *reterr);

/* A copy of the image in force, whose pins are in `dir`. -ENOENT with a sentence when none was published. */
int bc_image_read(const char *dir, int policy_fd, struct bc_cells *ret_image, struct bc_error *reterr);

#endif
