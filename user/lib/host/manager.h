/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One systemd manager, the system's or a user's, asked about units over D-Bus. Believes every word: see systemd.h. */
#ifndef BINDCTL_MANAGER_H
#define BINDCTL_MANAGER_H

#include <stdbool.h>

#include "pure/unit.h"

struct sd_bus;

enum bc_unit_state {
	BC_UNIT_ABSENT = 1, /* the manager has never heard of it */
	BC_UNIT_IMPLIED,    /* a slice that nothing speaks of: any slice's name is a slice, once a unit is put there */
	BC_UNIT_PRESENT,
};

struct bc_unit_facts {
	enum bc_unit_state state;
	char id[BC_UNIT_NAME_MAX + 1];	  /* its own name, if it was asked for by an alias */
	char slice[BC_UNIT_NAME_MAX + 1]; /* its Slice=, or "" */
	char cgroup[BC_UNIT_PATH_MAX];	  /* where it is now; "" when it is not active */
};

/*
 * Connects to the socket at `path`: a manager's own, or with `is_bus` the message bus that it is on. The environment has
 * no say. 0 and *ret, which sd_bus_flush_close_unref() closes, or -errno: -ENOENT or -ECONNREFUSED when nobody is there.
 */
int bc_manager_open(const char *path, bool is_bus, struct sd_bus **ret);

/* Makes the manager load the unit, which starts nothing, and reads about it. 0, or -errno with *ret undefined. */
int bc_manager_ask(struct sd_bus *bus, const char *name, struct bc_unit_facts *ret);

#endif
