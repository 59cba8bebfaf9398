/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the policy files say what is in force, and what commands say of it. */
#ifndef BINDCTL_CMD_DRIFT_H
#define BINDCTL_CMD_DRIFT_H

#include "cmd/app.h"
#include "kernel/drift.h"

/*
 * Reads and compiles the files. What keeps that from being done is said; with `warn`, also which reserved ports the
 * kernel may still give away by itself.
 */
struct bc_drift drift_find(const struct app *app, const struct bc_status *status, bool warn);

#endif
