/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image in force, opened. The slot that holds it gives only its id, and to open a map by its id takes
 * CAP_SYS_ADMIN: so each image has a pin too, first as BC_PIN_IMAGE_NEW and, once it is in force, as BC_PIN_IMAGE.
 * Killed in between, one of the two is the one in force; which, its id tells.
 */
#ifndef BINDCTL_CURRENT_H
#define BINDCTL_CURRENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Opens the map in the slot of `policy_fd`, whose pins are in `dir`, and says its id. -ENOENT when the slot is empty. */
int bc_current_open(const char *dir, int policy_fd, int *ret_fd, uint32_t *ret_id, struct bc_error *reterr);

/* Whether there is one that no pin holds: an older build put it there, which made none. */
bool bc_current_is_unpinned(const char *dir);

/* Pins an image that is to be put into force. Heals what a command that was killed left. Under the lock. */
int bc_current_announce(const char *dir, int policy_fd, int image_fd, struct bc_error *reterr);

/* It is in force: gives it the name of the one before. Where that fails, the next announcement does it. 0 or -errno. */
int bc_current_settle(const char *dir);

/* What was announced is not to be put into force after all. */
void bc_current_forget(const char *dir);

#endif
