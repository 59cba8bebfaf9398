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
 * The imprint of an image of `cells` that is to follow `current` (no cells: nothing). `root` is the id of the cgroup
 * that paths begin at. 0 or -errno with *reterr.
 */
int bc_imprint_make(const struct bc_cells *cells, const struct bc_cells *current, uint64_t root, struct bc_imprint *ret,
		    struct bc_error *reterr);

/* Makes a frozen map that holds the cells, with that imprint; nothing enforces it yet. */
int bc_image_create(const struct bc_cells *cells, const struct bc_imprint *imprint, int *ret_fd,
		    struct bc_error *reterr);

/*
 * Puts the image into force, in one step for every program. When it returns 0, no bind is still being decided by the
 * one before.
 */
int bc_image_publish(int policy_fd, int image_fd, struct bc_error *reterr);

/* Leaves every bind to the kernel's own rule, in one step. */
int bc_image_withdraw(int policy_fd, struct bc_error *reterr);

/* An image of the kernel's, mapped into memory for reading. */
struct bc_mapped_image {
	struct bc_cells image; /* cells: not to be freed; bc_mapped_image_done() */
	size_t size;
	uint32_t map_id;
};

void bc_mapped_image_done(struct bc_mapped_image *mapped);

/* The image in force. -ENOENT, without a sentence, when none was published. */
int bc_image_map(int policy_fd, struct bc_mapped_image *ret_mapped, struct bc_error *reterr);

#endif
