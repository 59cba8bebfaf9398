/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbours: small BPF programs of somebody else's at our hooks, made of what they are to do. */
#ifndef BINDCTL_ROGUE_H
#define BINDCTL_ROGUE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#define ROGUE_MAPS 10
#define ROGUE_PREORDER (1u << 6) /* linux/bpf.h's BPF_F_PREORDER, since 6.16 */

struct rogue {
	const char *name;	   /* of the program; NULL: "rogue" */
	enum bpf_attach_type type; /* its hook */
	int answer;		   /* what it returns */
	uint16_t port;		   /* of IPv4 and IPv6 binds: leads them to this one */
	uint32_t addr;		   /* of IPv4 binds: leads them to this address, in host byte order */
	uint32_t addr6;		   /* of IPv6 binds: the last word of the address, likewise */
	bool sets_retval;
	int retval;	 /* ... to this */
	uint32_t device; /* of sock_create: binds the socket to it */
	const int *maps; /* that it refers to */
	int nmaps;
	/* Writes `value` into byte `offset` of the first element of maps[0]. */
	bool writes;
	uint32_t offset;
	uint8_t value;
};

/* Loads it; fails the test if the kernel does not take it. */
int rogue_load(const struct rogue *rogue);

/* Links it to a cgroup; -1 and errno. */
int rogue_link(int prog_fd, const char *cgroup, enum bpf_attach_type type);

/* Attaches it the old way, with flags (BPF_F_ALLOW_MULTI and the like); 0 or -errno. rogue_detach() when done. */
int rogue_attach(int prog_fd, const char *cgroup, enum bpf_attach_type type, uint32_t flags);
void rogue_detach(int prog_fd, const char *cgroup, enum bpf_attach_type type);

/* What status says, and how it exits. */
void rogue_expect(int code, const char *what);

#endif
