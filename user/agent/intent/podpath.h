/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where kubelet puts a pod: the path of its cgroup, known before there is one. */
#ifndef BINDCTL_AGENT_PODPATH_H
#define BINDCTL_AGENT_PODPATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* kubelet's --cgroup-driver. A mask, where it is not known which. */
enum podpath_driver {
	PODPATH_SYSTEMD = 1 << 0,
	PODPATH_CGROUPFS = 1 << 1,
};

enum pod_qos {
	POD_GUARANTEED,
	POD_BURSTABLE,
	POD_BEST_EFFORT,
	POD_QOS_CLASSES, /* not known: it may be in any */
};

struct podpath_config {
	const char *root; /* kubelet's --cgroup-root, from the root of cgroup2; NULL or "/": none */
	unsigned drivers; /* enum podpath_driver, a mask */
};

#define PODPATH_MAX 2048

/* -EINVAL when the root is no path of a cgroup, or there is no driver. */
int podpath_check(const struct podpath_config *config, struct bc_error *reterr);

#define PODPATH_UID_MAX 64

/* The letters, digits and dashes of a pod's uid, 1 to PODPATH_UID_MAX. Nothing else gets into a path. */
bool podpath_uid_ok(const char *uid);

/* For one driver. -EINVAL for a uid or root that is none, -ENAMETOOLONG. */
int podpath(const struct podpath_config *config, enum podpath_driver driver, enum pod_qos qos, const char *uid,
	    char *path, size_t size, struct bc_error *reterr);

/* One of the places where a pod's cgroup may be. Zero-initialised is before the first. */
struct podpath_place {
	enum podpath_driver driver;
	enum pod_qos qos;
};

/* The next one of a pod of that class, or of any (POD_QOS_CLASSES). false: there is none left. */
bool podpath_next(const struct podpath_config *config, enum pod_qos qos, struct podpath_place *place);

#endif
