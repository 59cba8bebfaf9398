/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writers one at a time: flock(2) on a directory. The kernel lets go of it when its holder dies. */
#ifndef BINDCTL_LOCK_H
#define BINDCTL_LOCK_H

#include "base/error.h"

#define BC_LOCK_SECONDS 30 /* how long a writer waits; applying a million rules takes a few seconds */

/* How long a writer waits for others. */
struct bc_patience {
	unsigned seconds; /* 0: BC_LOCK_SECONDS */
	int stop_fd; /* when it can be read, such as a signalfd(2), the wait is over; 0: there is none. Not owned */
};

/*
 * Opens and locks the directory, which must exist; *ret_fd holds the lock until closed. `patience` NULL: the usual one.
 * -ETIMEDOUT when that is at its end, -ECANCELED when it was told to stop, -errno otherwise, with *reterr. A directory that
 * was removed while waiting is -ESTALE.
 */
int bc_lock_directory(const char *path, const struct bc_patience *patience, int *ret_fd, struct bc_error *reterr);

#define BC_LOCK_OPEN_SECONDS 5

/*
 * The same for a directory that everybody may open, and so lock: a courtesy among writers who are kept from each other
 * by nothing else. Nobody can have them wait for ever by it. Where a process of another user's than root's or ours holds
 * the lock, or anybody for longer than BC_LOCK_OPEN_SECONDS, *ret_note says who, and *ret_fd is left as it is. Of
 * `patience`, which must be one, only what tells to stop counts.
 */
int bc_lock_open_directory(const char *path, const struct bc_patience *patience, int *ret_fd, struct bc_error *ret_note,
			   struct bc_error *reterr);

#endif
