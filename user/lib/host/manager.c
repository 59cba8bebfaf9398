// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/util.h"
#include "host/manager.h"

#define CALL_SECONDS 25 /* what sd-bus takes, too, unless the environment says otherwise */

#define SYSTEMD "org.freedesktop.systemd1"

int bc_manager_open(const char *path, bool is_bus, sd_bus **ret)
{
	_cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
	char address[256];
	int r;

	if (snprintf(address, sizeof(address), "unix:path=%s", path) >= (int)sizeof(address))
		return -ENAMETOOLONG;
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, is_bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, CALL_SECONDS * 1000000ull);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

/* A unit's property, as a string that must fit. */
static int read_string(sd_bus *bus, const char *unit, const char *interface, const char *property, char *to,
		       size_t size)
{
	_cleanup_free_ char *value = NULL;
	int r = sd_bus_get_property_string(bus, SYSTEMD, unit, interface, property, NULL, &value);

	if (r < 0)
		return r;
	return snprintf(to, size, "%s", value) < (int)size ? 0 : -EMSGSIZE;
}

/* Whether somebody speaks of the slice: it has a file or a drop-in of its own, or is active. */
static int read_slice_state(sd_bus *bus, const char *unit, enum bc_unit_state *ret)
{
	char active[32], file[BC_UNIT_PATH_MAX];
	char **dropins = NULL;
	bool found;
	int r = read_string(bus, unit, SYSTEMD ".Unit", "ActiveState", active, sizeof(active));

	if (!r)
		r = read_string(bus, unit, SYSTEMD ".Unit", "FragmentPath", file, sizeof(file));
	if (!r)
		r = sd_bus_get_property_strv(bus, SYSTEMD, unit, SYSTEMD ".Unit", "DropInPaths", NULL, &dropins);
	if (r < 0)
		return r;
	found = *file || strcmp(active, "inactive") || (dropins && *dropins);
	for (char **dropin = dropins; dropin && *dropin; dropin++)
		free(*dropin);
	free(dropins);
	*ret = found ? BC_UNIT_PRESENT : BC_UNIT_IMPLIED;
	return 0;
}

static int read_facts(sd_bus *bus, const char *unit, const char *type, struct bc_unit_facts *ret)
{
	char load[32], interface[64];
	int r = read_string(bus, unit, SYSTEMD ".Unit", "LoadState", load, sizeof(load));

	if (r)
		return r;
	if (!strcmp(load, "not-found")) {
		ret->state = BC_UNIT_ABSENT;
		return 0;
	}
	/* service: org.freedesktop.systemd1.Service */
	snprintf(interface, sizeof(interface), SYSTEMD ".%c%s", *type - 'a' + 'A', type + 1);
	r = read_string(bus, unit, SYSTEMD ".Unit", "Id", ret->id, sizeof(ret->id));
	if (!r)
		r = read_string(bus, unit, interface, "Slice", ret->slice, sizeof(ret->slice));
	if (!r)
		r = read_string(bus, unit, interface, "ControlGroup", ret->cgroup, sizeof(ret->cgroup));
	if (r)
		return r;
	ret->state = BC_UNIT_PRESENT;
	return strcmp(type, "slice") ? 0 : read_slice_state(bus, unit, &ret->state);
}

int bc_manager_ask(sd_bus *bus, const char *name, struct bc_unit_facts *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *unit;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager", "LoadUnit", NULL, &reply,
			       "s", name);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &unit);
	return r < 0 ? r : read_facts(bus, unit, bc_unit_type(name), ret);
}
