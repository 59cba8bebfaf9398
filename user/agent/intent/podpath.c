// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "agent/intent/podpath.h"
#include "pure/clause.h"

#define ROOT_MAX 512 /* systemd's form repeats what is above in each part */

bool podpath_uid_ok(const char *uid)
{
	size_t len = strlen(uid);

	return len && len <= PODPATH_UID_MAX &&
	       strspn(uid, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == len;
}

/* The parts of a path in the making. */
struct path {
	char *text;
	size_t used, size;
	char slice[BC_NAME_MAX + 1]; /* of systemd: all parts so far, with dashes between */
	bool systemd, failed;
};

static void add_text(struct path *path, const char *prefix, const char *name, const char *suffix)
{
	int len = snprintf(path->text + path->used, path->size - path->used, "%s%s%s", prefix, name, suffix);

	if (len < 0 || (size_t)len >= path->size - path->used)
		path->failed = true;
	else
		path->used += len;
}

/* One part more. In systemd's names dashes part, so kubelet writes those inside a part as underscores. */
static void add_part(struct path *path, const char *part, size_t part_len)
{
	size_t len = strlen(path->slice), dash = len ? 1 : 0;
	char name[BC_NAME_MAX + 1];

	if (path->failed || part_len >= sizeof(name) || len + dash + part_len + strlen(".slice") > BC_NAME_MAX) {
		path->failed = true;
		return;
	}
	memcpy(name, part, part_len);
	name[part_len] = '\0';
	if (!path->systemd) {
		add_text(path, "/", name, "");
		return;
	}
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	if (dash)
		path->slice[len] = '-';
	memcpy(path->slice + len + dash, name, part_len + 1);
	add_text(path, "/", path->slice, ".slice");
}

static void add_root(struct path *path, const char *root)
{
	for (const char *part = root ? root : "", *slash; *part; part = slash) {
		part += strspn(part, "/");
		slash = part + strcspn(part, "/");
		if (slash > part)
			add_part(path, part, slash - part);
	}
}

static int fail_long(struct bc_error *reterr)
{
	return bc_fail(reterr, -ENAMETOOLONG, "the root of the pods' cgroups is too long");
}

int podpath(const struct podpath_config *config, enum podpath_driver driver, enum pod_qos qos, const char *uid,
	    char *path, size_t size, struct bc_error *reterr)
{
	static const char *const classes[] = { NULL, "burstable", "besteffort" };
	struct path made = { .text = path, .size = size, .systemd = driver == PODPATH_SYSTEMD };
	char pod[PODPATH_UID_MAX + sizeof("pod")];

	if (!podpath_uid_ok(uid) || qos >= POD_QOS_CLASSES || !size)
		return bc_fail(reterr, -EINVAL, "not a pod's uid, or not a QoS class");
	add_root(&made, config->root);
	add_part(&made, "kubepods", strlen("kubepods"));
	if (classes[qos])
		add_part(&made, classes[qos], strlen(classes[qos]));
	snprintf(pod, sizeof(pod), "pod%s", uid);
	add_part(&made, pod, strlen(pod));
	return made.failed ? fail_long(reterr) : 0;
}

int podpath_check(const struct podpath_config *config, struct bc_error *reterr)
{
	static const char longest[] = "0000000000000000000000000000000000000000000000000000000000000000";
	const char *root = config->root ? config->root : "/";
	char path[PODPATH_MAX], text[256];

	_Static_assert(sizeof(longest) == PODPATH_UID_MAX + 1, "not the longest uid");
	if (!config->drivers || config->drivers & ~(PODPATH_SYSTEMD | PODPATH_CGROUPFS))
		return bc_fail(reterr, -EINVAL, "no such cgroup driver (systemd or cgroupfs)");
	if (bc_check_path(root, strlen(root), text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "the root of the pods' cgroups: %s", text);
	if (strlen(root) > ROOT_MAX)
		return fail_long(reterr);
	for (const char *c = root; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return bc_fail(reterr, -EINVAL, "the root of the pods' cgroups has a control character in it");
	for (unsigned driver = PODPATH_SYSTEMD; driver <= PODPATH_CGROUPFS; driver <<= 1) {
		int r = driver & config->drivers ?
				podpath(config, driver, POD_BURSTABLE, longest, path, sizeof(path), reterr) :
				0;

		if (r)
			return r;
	}
	return 0;
}

bool podpath_next(const struct podpath_config *config, enum pod_qos qos, struct podpath_place *place)
{
	do {
		if (place->driver && ++place->qos < POD_QOS_CLASSES)
			continue;
		place->driver = place->driver ? place->driver << 1 : PODPATH_SYSTEMD;
		place->qos = 0;
	} while (place->driver <= PODPATH_CGROUPFS &&
		 (!(place->driver & config->drivers) || (qos != POD_QOS_CLASSES && qos != place->qos)));
	return place->driver <= PODPATH_CGROUPFS;
}
