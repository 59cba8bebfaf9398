// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/util.h"
#include "host/manager.h"
#include "host/systemd.h"
#include "host/userside.h"

/*
 * The directories of systemd.unit(5) that only root writes to and that have files without a running systemd. Not
 * /run/systemd/system: where it is, systemd runs.
 */
static const char *const system_dirs[] = {
	"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system", NULL,
};

static const char *const user_dirs[] = {
	"/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user", NULL,
};

static const char *root_of(const struct bc_systemd *systemd)
{
	return systemd->root ? systemd->root : "";
}

/* As sd_booted(3) finds out, but below the root. */
static bool is_booted(const struct bc_systemd *systemd)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/run/systemd/system", root_of(systemd));
	return !faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

/*
 * The manager's own socket is root's alone, and works when the message bus is not up yet: during boot a connection to
 * the bus may wait for services that wait for us.
 */
static int connect_to_system(struct bc_systemd *systemd)
{
	char path[4096];
	int r;

	if (systemd->bus)
		return 0;
	snprintf(path, sizeof(path), "%s/run/systemd/private", root_of(systemd));
	r = bc_manager_open(path, false, &systemd->bus);
	if (!r)
		return 0;
	snprintf(path, sizeof(path), "%s/run/dbus/system_bus_socket", root_of(systemd));
	return bc_manager_open(path, true, &systemd->bus);
}

/* Units that are there without a file. */
static bool is_built_in(const char *name)
{
	static const char *const names[] = { "-.slice", "system.slice", "user.slice", "machine.slice", "init.scope" };
	const char *type = bc_unit_type(name);
	uint64_t uid;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "user-", 5) && !strcmp(type, "slice") &&
	       !bc_parse_number(name + 5, type - 1 - (name + 5), 0, UINT32_MAX - 1, &uid);
}

static void set_facts(struct bc_unit_facts *facts, const char *name, enum bc_unit_state state)
{
	*facts = (struct bc_unit_facts){ .state = state };
	snprintf(facts->id, sizeof(facts->id), "%s", name);
}

static int ask_system(struct bc_systemd *systemd, const char *name, struct bc_unit_facts *facts)
{
	int r;

	if (!is_booted(systemd)) {
		bool known = is_built_in(name) || bc_unit_file_exists(root_of(systemd), system_dirs, name);

		set_facts(facts, name, known ? BC_UNIT_PRESENT : BC_UNIT_ABSENT);
		return 0;
	}
	r = connect_to_system(systemd);
	if (!r)
		r = bc_manager_ask(systemd->bus, name, facts);
	/* The next question gets another connection: this one may be dead. */
	if (r)
		systemd->bus = sd_bus_flush_close_unref(systemd->bus);
	return r;
}

static bool is_silent(const struct bc_systemd *systemd, uint32_t uid)
{
	for (size_t i = 0; i < systemd->nsilent; i++)
		if (systemd->silent[i] == uid)
			return true;
	return false;
}

static int add_silent(struct bc_systemd *systemd, uint32_t uid)
{
	if (bc_grow(&systemd->silent, &systemd->silent_room, systemd->nsilent + 1))
		return -ENOMEM;
	systemd->silent[systemd->nsilent++] = uid;
	return 0;
}

/*
 * Whether a unit that the system does not have is the user's. *facts are what is said of it then; only the files in the
 * system's directories are more than the user's word.
 */
static int ask_user(struct bc_systemd *systemd, const char *name, uint32_t uid, struct bc_unit_facts *facts,
		    bool *ret_found)
{
	bool managed = false;
	int r = -EPERM;

	if (strcmp(bc_unit_type(name), "slice") && !is_silent(systemd, uid)) {
		r = bc_userside_ask(root_of(systemd), uid, name, facts, &managed);
		if (r == -ENOMEM || (r && add_silent(systemd, uid)))
			return -ENOMEM;
	}
	if (!r && (managed || facts->state == BC_UNIT_PRESENT)) {
		*ret_found = facts->state != BC_UNIT_ABSENT;
	} else {
		set_facts(facts, name, BC_UNIT_PRESENT);
		*ret_found = bc_unit_file_exists(root_of(systemd), user_dirs, name);
	}
	return 0;
}

/* Absolute, and no part of it empty, "." or "..": such a path cannot lead out of what it begins with. */
static bool is_plain_path(const char *path)
{
	if (*path != '/')
		return false;
	if (!path[1])
		return true;
	while (*path) {
		const char *part = path + 1;
		size_t len = strcspn(part, "/");

		if (!len || (len == 1 && *part == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		path = part + len;
	}
	return true;
}

static int system_path(const struct bc_unit_facts *facts, char *path, size_t size)
{
	if (!*facts->cgroup)
		return bc_unit_path(facts->id, facts->slice, false, 0, path, size);
	if (!is_plain_path(facts->cgroup))
		return -EBADMSG;
	return snprintf(path, size, "%s", facts->cgroup) < (int)size ? 0 : -ENAMETOOLONG;
}

/* The user's word for as far as it is credible; what is not falls back to the rules. */
static int user_path(const struct bc_unit_facts *facts, const char *name, uint32_t uid, char *path, size_t size)
{
	char prefix[128];
	int len = snprintf(prefix, sizeof(prefix), "/user.slice/user-%u.slice/user@%u.service/", uid, uid);

	if (!strncmp(facts->cgroup, prefix, len) && is_plain_path(facts->cgroup))
		return snprintf(path, size, "%s", facts->cgroup) < (int)size ? 0 : -ENAMETOOLONG;
	if (!bc_unit_path(facts->id, facts->slice, true, uid, path, size))
		return 0;
	return bc_unit_path(name, NULL, true, uid, path, size);
}

int bc_systemd_unit(struct bc_systemd *systemd, const char *name, uint32_t uid, char **ret_path, bool *ret_known)
{
	char path[BC_UNIT_PATH_MAX], text[1], *copy;
	struct bc_unit_facts facts, users;
	bool is_users = false;
	int r = bc_unit_check(name, strlen(name), text, sizeof(text));

	if (r)
		return r;
	r = ask_system(systemd, name, &facts);
	if (!r && facts.state != BC_UNIT_PRESENT && uid != BC_NO_USER)
		r = ask_user(systemd, name, uid, &users, &is_users);
	if (r)
		return r;
	if (facts.state == BC_UNIT_ABSENT)
		set_facts(&facts, name, BC_UNIT_ABSENT);
	if (is_users)
		r = user_path(&users, name, uid, path, sizeof(path));
	else
		r = system_path(&facts, path, sizeof(path));
	if (r)
		return r;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	*ret_path = copy;
	*ret_known = is_users || facts.state != BC_UNIT_ABSENT;
	return 0;
}

void bc_systemd_done(struct bc_systemd *systemd)
{
	sd_bus_flush_close_unref(systemd->bus);
	free(systemd->silent);
	*systemd = (struct bc_systemd){ .root = systemd->root };
}
