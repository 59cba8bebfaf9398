/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This build's programs in the kernel, and the maps that they share, some of which outlive them. */
#ifndef BINDCTL_PROGRAMS_H
#define BINDCTL_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/attach.h"
#include "kernel/force.h"

struct bc_programs;

/*
 * Loads the programs; nothing runs or pins them yet. Maps that are pinned in `dir`, whose pins are of that schema, are
 * taken over if this build still understands what is in them; the others are new, and a new gate is open.
 * -errno with a sentence.
 */
int bc_programs_load(const char *dir, uint32_t schema, struct bc_programs **ret, struct bc_error *reterr);
void bc_programs_freep(struct bc_programs **programs);

/* Pins the maps that are new, in the place of what may have been there under their names. */
int bc_programs_pin(const struct bc_programs *programs, const char *dir, struct bc_error *reterr);

/* Their ids in the kernel, by hook; 0 where that cannot be told. */
void bc_programs_name(const struct bc_programs *programs, uint32_t ret_ids[BC_LINKED]);

/*
 * Whether the map of what the programs remember names the right network namespace as the initial one, or none yet; true
 * also where this process cannot tell.
 */
bool bc_state_is_right(int fd);

/* The program for a hook. Owned by `programs`. */
int bc_programs_fd(const struct bc_programs *programs, enum bc_hook hook);

/* Where images are put into force that these programs read. The descriptors are owned by `programs`. */
struct bc_force bc_programs_force(const struct bc_programs *programs);

#endif
