// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "pure/unit.h"

#define ROOT_SLICE "-.slice"

struct type {
	const char *name;
	bool cgroup;
	bool instances;
};

static const struct type types[] = {
	{ "service", true, true }, { "scope", true, false },   { "slice", true, false },      { "socket", true, true },
	{ "mount", true, false },  { "swap", true, false },    { "timer", false, true },      { "target", false, true },
	{ "path", false, true },   { "device", false, false }, { "automount", false, false },
};

/* The parts of PREFIX@INSTANCE.TYPE. Without an '@', prefix and stem end at the same place. */
struct parts {
	size_t prefix; /* bytes before the '@' */
	size_t stem;   /* bytes before the last '.' */
	const struct type *type;
};

static __attribute__((format(printf, 3, 4))) int refuse(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	return -EINVAL;
}

/* isalnum() would ask the locale. */
static bool is_name_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(":-_.\\", c));
}

static const struct type *find_type(const char *name, size_t len, size_t *ret_stem)
{
	const char *dot = memrchr(name, '.', len);
	size_t stem = dot ? (size_t)(dot - name) : len;

	*ret_stem = stem;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (stem < len && strlen(types[i].name) == len - stem - 1 &&
		    !memcmp(types[i].name, dot + 1, len - stem - 1))
			return &types[i];
	return NULL;
}

/* A slice's name is a path with dashes for slashes: no part of it may be empty. */
static bool is_slice_stem(const char *stem, size_t len)
{
	if (len == 1 && *stem == '-')
		return true;
	return len && *stem != '-' && stem[len - 1] != '-' && !memmem(stem, len, "--", 2);
}

/*
 * The slice of a template's instances: system-PREFIX.slice, where a dash of the prefix does not part directories.
 * -ENAMETOOLONG when it does not fit, `slice` cut.
 */
static int template_slice(const char *prefix, size_t len, bool user, char *slice, size_t size)
{
	size_t at = snprintf(slice, size, "%s-", user ? "app" : "system");

	for (size_t i = 0; i < len && at < size; i++) {
		bool plain =
			is_name_byte(prefix[i]) && prefix[i] != '-' && prefix[i] != '\\' && (i > 0 || prefix[i] != '.');

		at += snprintf(slice + at, size - at, plain ? "%c" : "\\x%02x", (unsigned char)prefix[i]);
	}
	if (at < size)
		at += snprintf(slice + at, size - at, ".slice");
	return at < size ? 0 : -ENAMETOOLONG;
}

#define SHOWN(name, len) ((len) > 64 ? 64 : (int)(len)), name

static int check_stem(const char *name, size_t len, const struct parts *parts, char *text, size_t size)
{
	const char *type = parts->type->name;
	char slice[BC_UNIT_NAME_MAX + 1];

	if (!parts->prefix)
		return refuse(text, size, "unit '%.*s' has no name before its %s", SHOWN(name, len),
			      parts->stem ? "'@'" : "type");
	if (parts->prefix < parts->stem && !parts->type->instances)
		return refuse(text, size, "unit '%.*s' cannot be: only services and sockets have instances ('@')",
			      SHOWN(name, len));
	if (parts->prefix + 1 == parts->stem) {
		template_slice(name, parts->prefix, false, slice, sizeof(slice));
		return refuse(text, size,
			      "unit '%.*s' is a template; name one of its instances, %.*sNAME.%s, or the slice of all "
			      "of them, %s",
			      SHOWN(name, len), SHOWN(name, parts->stem), type, slice);
	}
	if (!strcmp(type, "slice") && !is_slice_stem(name, parts->stem))
		return refuse(text, size,
			      "unit '%.*s' cannot be: a slice's name is a path with dashes between its parts",
			      SHOWN(name, len));
	return 0;
}

static int take_apart(const char *name, size_t len, struct parts *parts, char *text, size_t size)
{
	const char *at;

	if (!len || len > BC_UNIT_NAME_MAX)
		return refuse(text, size, "a unit's name has 1 to %d bytes", BC_UNIT_NAME_MAX);
	for (size_t i = 0; i < len; i++)
		if (!is_name_byte(name[i]) && name[i] != '@')
			return refuse(text, size,
				      "unit '%.*s' has a character that is none of letters, digits and :-_.\\@",
				      SHOWN(name, len));
	parts->type = find_type(name, len, &parts->stem);
	if (!parts->type)
		return refuse(text, size, "unit '%.*s' has no type; did you mean %.*s.service?", SHOWN(name, len),
			      SHOWN(name, len));
	if (!parts->type->cgroup)
		return refuse(text, size,
			      "unit '%.*s' has no cgroup: %ss run no processes (services, scopes, slices, sockets, "
			      "mounts and swaps do)",
			      SHOWN(name, len), parts->type->name);
	at = memchr(name, '@', parts->stem);
	parts->prefix = at ? (size_t)(at - name) : parts->stem;
	return check_stem(name, len, parts, text, size);
}

int bc_unit_check(const char *name, size_t len, char *text, size_t size)
{
	struct parts parts;

	return take_apart(name, len, &parts, text, size);
}

/*
 * Names that the kernel's own files in a cgroup could have. systemd puts a '_' before them, and before names that begin
 * with one. Its list is of the controllers that it knows, not the kernel's, and of its own that are done with BPF. A
 * unit's name has a type, so that it is never one of the files without a dot, such as "tasks".
 */
static bool needs_escape(const char *name)
{
	static const char *const before_dot[] = { "cgroup",
						  "cpu",
						  "cpuacct",
						  "cpuset",
						  "io",
						  "blkio",
						  "memory",
						  "devices",
						  "pids",
						  "bpf-firewall",
						  "bpf-devices",
						  "bpf-foreign",
						  "bpf-socket-bind",
						  "bpf-restrict-network-interfaces" };

	if (*name == '_' || *name == '.')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(before_dot); i++) {
		size_t len = strlen(before_dot[i]);

		if (!strncmp(name, before_dot[i], len) && name[len] == '.')
			return true;
	}
	return false;
}

/* A path that grows part by part; once something did not fit, nothing is added and it stays failed. */
struct path {
	char *text;
	size_t size;
	size_t len;
	bool failed;
};

static void add_part(struct path *path, const char *name, size_t len, const char *suffix)
{
	char part[BC_UNIT_NAME_MAX + 2];
	size_t part_len = snprintf(part, sizeof(part), "%.*s%s", (int)len, name, suffix);
	bool escape = needs_escape(part);
	size_t room = path->failed ? 0 : path->size - path->len;
	size_t need = 1 + escape + part_len;

	/* 255 bytes is also the longest name that a file can have. */
	if (part_len + escape > BC_UNIT_NAME_MAX || need >= room) {
		path->failed = true;
		return;
	}
	path->len += snprintf(path->text + path->len, room, "/%s%s", escape ? "_" : "", part);
}

/* a-b.slice is /a.slice/a-b.slice; the root slice adds nothing. */
static void add_slice(struct path *path, const char *slice)
{
	size_t stem = strlen(slice) - strlen(".slice");

	if (!strcmp(slice, ROOT_SLICE))
		return;
	for (size_t i = 0; i < stem; i++)
		if (slice[i] == '-')
			add_part(path, slice, i, ".slice");
	add_part(path, slice, strlen(slice), "");
}

/* Mounts that the host itself is made of, which systemd puts into no slice. */
static bool is_host_mount(const char *stem, size_t len)
{
	static const char *const names[] = { "-", "usr", "etc" };
	static const char *const trees[] = { "proc", "sys", "dev", "run-initramfs", "run-nextroot" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (len == strlen(names[i]) && !memcmp(stem, names[i], len))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		size_t n = strlen(trees[i]);

		if (len >= n && !memcmp(stem, trees[i], n) && (len == n || stem[n] == '-'))
			return true;
	}
	return false;
}

/* Units that live outside of every slice. */
static bool is_below_root(const char *name, const struct parts *parts, bool user)
{
	bool mount = !strcmp(parts->type->name, "mount");

	if (!strcmp(name, "init.scope"))
		return true;
	if (user)
		return mount || !strcmp(parts->type->name, "swap");
	return mount && is_host_mount(name, parts->stem);
}

/* user@UID.service and user-runtime-dir@UID.service, which systemd's own files put below user-UID.slice. */
static bool is_of_user(const char *name, const struct parts *parts)
{
	const char *instance = name + parts->prefix + 1;
	uint64_t uid;

	return parts->prefix < parts->stem && (!strncmp(name, "user@", 5) || !strncmp(name, "user-runtime-dir@", 17)) &&
	       !strcmp(parts->type->name, "service") &&
	       !bc_parse_number(instance, parts->stem - parts->prefix - 1, 0, UINT32_MAX - 1, &uid);
}

static int default_slice(const char *name, const struct parts *parts, bool user, char *slice, size_t size)
{
	if (is_below_root(name, parts, user))
		snprintf(slice, size, "%s", ROOT_SLICE);
	else if (!user && is_of_user(name, parts))
		snprintf(slice, size, "user-%.*s.slice", (int)(parts->stem - parts->prefix - 1),
			 name + parts->prefix + 1);
	else if (parts->prefix < parts->stem)
		return template_slice(name, parts->prefix, user, slice, size);
	else
		snprintf(slice, size, "%s", user ? "app.slice" : "system.slice");
	return 0;
}

/* *ret_slice is the one that is given, or is made in `room`. */
static int pick_slice(const char *name, const struct parts *parts, const char *given, bool user,
		      char room[BC_UNIT_NAME_MAX + 1], const char **ret_slice)
{
	struct parts slice;
	char text[1];

	*ret_slice = room;
	if (!given || !*given)
		return default_slice(name, parts, user, room, BC_UNIT_NAME_MAX + 1);
	if (take_apart(given, strlen(given), &slice, text, sizeof(text)) || strcmp(slice.type->name, "slice"))
		return -EINVAL;
	*ret_slice = given;
	return 0;
}

int bc_unit_path(const char *name, const char *slice, bool user, uint32_t uid, char *path, size_t size)
{
	struct path built = { .text = path, .size = size };
	char room[BC_UNIT_NAME_MAX + 1], text[1];
	struct parts parts;
	bool is_slice;
	int r = take_apart(name, strlen(name), &parts, text, sizeof(text));

	if (r)
		return r;
	is_slice = !strcmp(parts.type->name, "slice");
	if (is_slice)
		slice = name;
	else
		r = pick_slice(name, &parts, slice, user, room, &slice);
	if (r)
		return r;
	if (user)
		built.len = snprintf(path, size, "/user.slice/user-%u.slice/user@%u.service", uid, uid);
	if (built.len >= size)
		return -ENAMETOOLONG;
	add_slice(&built, slice);
	if (!is_slice)
		add_part(&built, name, strlen(name), "");
	if (!built.len && snprintf(path, size, "/") >= (int)size)
		return -ENAMETOOLONG;
	return built.failed ? -ENAMETOOLONG : 0;
}

const char *bc_unit_type(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : "";
}

bool bc_unit_template(const char *name, char template[BC_UNIT_NAME_MAX + 1])
{
	struct parts parts = {};
	char text[1];

	if (take_apart(name, strlen(name), &parts, text, sizeof(text)) || parts.prefix == parts.stem)
		return false;
	snprintf(template, BC_UNIT_NAME_MAX + 1, "%.*s@.%s", (int)parts.prefix, name, parts.type->name);
	return true;
}
