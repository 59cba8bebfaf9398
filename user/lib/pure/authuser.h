/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What authbind's byuid/UID files permit, but for what its other files decide. */
#ifndef BINDCTL_AUTHUSER_H
#define BINDCTL_AUTHUSER_H

#include "pure/authname.h"

/* What authbind does, and a rule cannot say. */
#define BC_AUTH_DUAL                                                                                            \
	"a socket that takes IPv4, too, can bind [::] only where 0.0.0.0 is granted besides, as authbind does " \
	"not; one with IPV6_V6ONLY can"
#define BC_AUTH_OF_V4 "an IPv4 address of IPv6 sockets: a rule would give it to IPv4 sockets, too"

/* The files that decide before byuid. */
struct bc_auth_decided {
	bool ports[BC_AUTH_PORTS];  /* byport has a file, which decides for all addresses */
	struct bc_auth_name *names; /* of byaddr, in their order */
	size_t n;
};

/* The file that decides of 0.0.0.0 at that port; NULL when there is none. */
const struct bc_auth_name *bc_auth_find_wildcard(const struct bc_auth_decided *decided, uint32_t port);

/* The rule is about that address, or prefix of so many bits of 128. */
void bc_auth_set_addr(struct bc_rule *rule, bc_auth_addr addr, unsigned prefix, bool v4);

/* Imports a user's file, of that path. */
void bc_auth_import_user(struct bc_import *import, const struct bc_auth_decided *decided, const char *path,
			 const struct bc_auth_name *name);

#endif
