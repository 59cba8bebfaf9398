/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for what comes soon, unless a machine has more to do than time. */
#ifndef BINDCTL_TEST_PATIENCE_H
#define BINDCTL_TEST_PATIENCE_H

#include <time.h>

#define PATIENCE_SECONDS 300		 /* after which it never comes */
#define PATIENCE (PATIENCE_SECONDS * 50) /* the same in naps */

static inline void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}

#endif
