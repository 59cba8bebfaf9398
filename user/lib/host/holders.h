/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds ports of this network namespace: sockets (host/sockets.h), and the processes that have them open. */
#ifndef BINDCTL_HOLDERS_H
#define BINDCTL_HOLDERS_H

#include <sys/types.h>

#include "host/process.h"
#include "host/sockets.h"
#include "pure/policy.h"

/* One process with one socket, or a socket that no process was found for. */
struct bc_holder {
	const struct bc_socket *socket;
	pid_t pid; /* 0: none was found */
	/* Who would bind: the process as it is now; without one, whoever made the socket, with the groups of a login. */
	const struct bc_process *process;
};

/* Owns everything that its items point to; bc_holders_done(). */
struct bc_holders {
	struct bc_holder *items; /* by port, protocol, family, address and process */
	size_t n, room;
	struct bc_socket *sockets;
	struct bc_process *processes;
	size_t nprocesses;
	bool hidden; /* there are processes that we may not look into, and sockets that no process was found for */
};

void bc_holders_done(struct bc_holders *holders);

/* What is looked for: sockets of any of these protocols (enum bc_proto, a mask) at any of these ports. */
struct bc_wanted_ports {
	const struct bc_range *ranges;
	size_t n;
	uint8_t protos;
};

/* Into zeroed holders. What of /proc is closed to us is left out: `hidden`. 0, or -errno with a sentence. */
int bc_holders_read(const struct bc_wanted_ports *wanted, struct bc_holders *ret, struct bc_error *reterr);

#endif
