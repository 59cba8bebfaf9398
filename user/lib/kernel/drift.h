/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the policy files say what is in force. */
#ifndef BINDCTL_DRIFT_H
#define BINDCTL_DRIFT_H

#include "host/build.h"
#include "kernel/status.h"

/* How the files compare with the kernel. */
struct bc_drift {
	bool known; /* the files could be read and compiled */
	bool differ;
	uint64_t digest; /* of what they give */
};

/*
 * Reads and compiles the files, into an empty build, and compares that with what `status` found. 0, or -errno with a
 * sentence and a report of what keeps that from being done.
 */
int bc_drift_find(const struct bc_store *store, const struct bc_names *names, const struct bc_status *status,
		  struct bc_build *build, struct bc_drift *ret, struct bc_report *report, struct bc_error *reterr);

#endif
