/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes have sockets open: by their descriptors in /proc, and those of their threads. */
#ifndef BINDCTL_OWNERS_H
#define BINDCTL_OWNERS_H

#include "host/holders.h"

/*
 * Adds to holders->items who has the first n of holders->sockets open, each process once a socket; for one that nobody
 * seems to have, an item without a process. 0 or -errno.
 */
int bc_owners_find(struct bc_holders *holders, size_t n);

#endif
