/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled images in the kernel: one BPF array each, which is frozen before it is put into force. */
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
 * The imprint of an image of `cells` that is to follow what is in force, if anything is. `dir` has the pins, `root` is
 * the id of the cgroup that paths begin at. What the programs remember of cgroups holds on where the scopes are the same,
 * but with `anew`. 0 or -errno with *reterr.
 */
int bc_imprint_make(const char *dir, const struct bc_cells *cells, int policy_fd, uint64_t root, bool anew,
		    struct bc_imprint *ret, struct bc_error *reterr);

/* Makes a map that holds the cells, with that imprint; nothing enforces it yet. */
int bc_image_create(const struct bc_cells *cells, const struct bc_imprint *imprint, int *ret_fd,
		    struct bc_error *reterr);

/*
 * The last thing before it is put into force: has it go on counting where the image in force is now, as far as they have
 * the same rules, and freezes it. What is hit between this and the moment at which it is put into force is not counted.
 */
int bc_image_seal(const char *dir, int policy_fd, const struct bc_cells *cells, int image_fd, struct bc_error *reterr);

/* A copy of the image in force, whose pins are in `dir`. -ENOENT with a sentence when none was published. */
int bc_image_read(const char *dir, int policy_fd, struct bc_cells *ret_image, struct bc_error *reterr);

#endif
