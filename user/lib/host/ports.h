/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports that the kernel chooses from when a program leaves it the choice. */
#ifndef BINDCTL_PORTS_H
#define BINDCTL_PORTS_H

#include "pure/lint.h"

/*
 * Reads net.ipv4.ip_local_port_range and ip_local_reserved_ports of this network namespace; bc_ephemeral_done()
 * afterwards. What cannot be read leaves the range unknown.
 */
void bc_ephemeral_read(struct bc_ephemeral *ret);
void bc_ephemeral_done(struct bc_ephemeral *ephemeral);

#endif
