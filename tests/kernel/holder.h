/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that bind and live on. */
#ifndef BINDCTL_TEST_HOLDER_H
#define BINDCTL_TEST_HOLDER_H

#include "bed.h"

/* What a holder does besides binding. */
enum {
	LISTENS = 1,
	FORKS = 2, /* a second process with the same socket */
	CONNECTS = 4,
	LEAVES = 8, /* for a user namespace of its own, where it has every capability */
};

/* Starts a holder, which lives until release_all(). Its process, and the second one of one that forks. */
pid_t hold(const struct try *try, int flags, pid_t *ret_second);
void release_all(void);

#endif
