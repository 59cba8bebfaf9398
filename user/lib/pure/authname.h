/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of the files that authbind's helper asks for. */
#ifndef BINDCTL_AUTHNAME_H
#define BINDCTL_AUTHNAME_H

#include "pure/authbind.h"
#include "pure/authline.h"

#define BC_AUTH_PORTS 1024u /* authbind is asked about ports below */
#define BC_AUTH_HIGH 512u   /* from here on with a `!` */

/* A file that is asked for, and when. */
struct bc_auth_name {
	const struct bc_auth_file *file;
	uint32_t number; /* its port; of byuid, the uid */
	bool high;	 /* of byuid: about the ports from BC_AUTH_HIGH on */
	bool v4;	 /* of byaddr, as the next two */
	uint8_t turn;	 /* of the names for one address and port, the lesser is asked for first */
	bc_auth_addr addr;
};

/* NULL and what the name says, or why nothing asks for it. */
const char *bc_auth_read_name(const struct bc_auth_file *file, struct bc_auth_name *ret);

/* The order in which they are imported: by place, IPv4 first, then by address, number and turn. */
int bc_auth_compare_names(const void *left, const void *right);

#endif
