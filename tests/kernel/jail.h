/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Root in a container, as an attacker: a process in BED/container, with namespaces of its own, that keeps some capabilities. */
#ifndef BINDCTL_TEST_JAIL_H
#define BINDCTL_TEST_JAIL_H

#include <stdbool.h>
#include <stdint.h>

struct jail {
	uint64_t caps;	/* that it keeps, BC_CAP() each; of its own user namespace all */
	bool own_users; /* a user namespace, whose root is NOBODY outside */
	bool own_net;	/* a network namespace */
	bool is_handed; /* is given jail_socket */
	bool sees_pins; /* is given the host's BPF file system: a mount of it */
};

/* What Docker lets root keep. */
extern const uint64_t jail_docker_caps;

/* Where it sees cgroup2, with BED/container as the root: a directory, for those in it. */
#define JAIL_CGROUP bed.policy

/* A TCP socket of the initial network namespace that somebody in the container's cgroup made, and handed on. */
extern int jail_socket;

/*
 * A test's set-up: BED/container, which is denied port 443 with EPERM, whatever its network, and the other rules, are in
 * force. 0.
 */
int jail_make(const char *rules);
int jail_remove(void **state);

/* Runs the attack there. Its result, 0 to 255, of which these say that it did not come to that. */
int jail_run(const struct jail *jail, int (*attack)(void));

#define JAIL_TROUBLE 250      /* something that should go did not */
#define JAIL_WENT_THROUGH 251 /* something that should not go did */

/* In it: binds the TCP port of 0.0.0.0, with SO_REUSEADDR. 0 or errno. */
int jail_bind(uint16_t port);

#endif
