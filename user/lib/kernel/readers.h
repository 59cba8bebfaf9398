/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who reads events: up to BC_READERS processes, each with a number and a ring buffer of its own. Who has a number holds
 * a lock on the directory BC_PIN_READER NUMBER among the pins, which ends with the process: whatever one that was killed
 * has left is swept away by the next who comes, or by the next change of the policy.
 */
#ifndef BINDCTL_READERS_H
#define BINDCTL_READERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bindctl/abi.h"

struct bc_reader_place {
	uint32_t number;
	uint32_t rings_id; /* of the map that the ring is in */
	int lock_fd;
	int readers_fd; /* the map of struct bc_reader */
};

#define BC_READER_NOWHERE ((struct bc_reader_place){ .lock_fd = -1, .readers_fd = -1 })

/*
 * Has the programs write into the ring buffer `ring_fd`: what is to be reported and, with `all`, every bind. `rate`: see
 * struct bc_reader. -EBUSY with a sentence when there are BC_READERS already, -ENOENT when nothing is loaded.
 */
int bc_reader_enter(const char *dir, int ring_fd, bool all, uint32_t rate, struct bc_reader_place *ret,
		    struct bc_error *reterr);

/* Has them write there no more. A place that was never entered is no error. */
void bc_reader_leave(const char *dir, struct bc_reader_place *place);

/* Whether the programs of what is loaded there still write into the ring. */
bool bc_reader_is_served(const char *dir, const struct bc_reader_place *place);

/* What was kept back from the reader, and what found no room, since it entered. */
int bc_reader_losses(const struct bc_reader_place *place, struct bc_reader *ret, struct bc_error *reterr);

/* Frees the places of readers that are gone. Under the instance's lock. */
void bc_readers_sweep(const char *dir);

#endif
