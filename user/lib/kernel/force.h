/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in force: the image in the one slot of bc_policy, and the gate before it. */
#ifndef BINDCTL_FORCE_H
#define BINDCTL_FORCE_H

#include <stdbool.h>

#include "base/error.h"
#include "bindctl/abi.h"

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

/* Whether the gate keeps back anything of that. */
bool bc_gate_lacks(const struct bc_force *force, const struct bc_gate *needs);

/* Who reads events: BC_WATCH() and BC_WATCH_ALL() of each; 0 when that cannot be told. */
uint32_t bc_gate_watched(const struct bc_force *force);

/*
 * Sets and clears such bits. As long as anybody wants all binds the gate lets all ports through; behind the last, what
 * `needs` says. Under the instance's lock.
 */
int bc_gate_watch(const struct bc_force *force, uint32_t set, uint32_t clear, const struct bc_gate *needs,
		  struct bc_error *reterr);

/* Leaves every bind to the kernel's own rule, in one step. */
int bc_image_withdraw(int policy_fd, struct bc_error *reterr);

/* Opens the pinned outer map; -ENOENT with a sentence when it is not there. */
int bc_open_policy(const char *dir, int *ret_fd, struct bc_error *reterr);

/* Opens what an image is put into force by; -ENOENT when something of it is not there. */
int bc_force_open(const char *dir, struct bc_force *ret_force, struct bc_error *reterr);

#endif
