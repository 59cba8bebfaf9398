/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel itself says of ports: which it chooses from when a program leaves it the choice, which are for all. */
#ifndef BINDCTL_PORTS_H
#define BINDCTL_PORTS_H

#include "pure/lint.h"

/*
 * Reads net.ipv4.ip_local_port_range and ip_local_reserved_ports of this network namespace; bc_ephemeral_done()
 * afterwards. What cannot be read leaves the range unknown.
 */
void bc_ephemeral_read(struct bc_ephemeral *ret);
void bc_ephemeral_done(struct bc_ephemeral *ephemeral);

/* The first port that needs no capability in this network namespace; 1024 where the kernel does not say. */
unsigned bc_unprivileged_start(void);

#endif
