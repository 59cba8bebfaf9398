/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The users, groups and units that policy files of the host's administrator name. In a container they are the host's and
 * not the container's: what the host has at ROOT/etc/passwd and ROOT/etc/group, and systemd's units below ROOT, as far
 * as they are mounted there.
 *
 * Users and groups that only NSS knows (LDAP, systemd's dynamic users) are not found below a root; a rule that names one is
 * an error then, and not left out. The cgroup of a unit is that of systemd's rules for its name, unless ROOT/run/systemd
 * is there to ask.
 */
#ifndef BINDCTL_AGENT_HOSTNAMES_H
#define BINDCTL_AGENT_HOSTNAMES_H

#include "host/systemd.h"
#include "pure/resolve.h"

struct hostnames {
	const char *root; /* NULL: this system's own names, through NSS. Not owned. */
	struct bc_systemd systemd;
	struct bc_names names; /* for the library; points back here */
};

/* `ret` is not to be moved. */
void hostnames_init(struct hostnames *ret, const char *root);

/* Closes connections; the next question opens them anew. */
void hostnames_close(struct hostnames *names);

#endif
