/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What writers that were killed left behind in the policy directories: files that never got their name. */
#ifndef BINDCTL_SWEEP_H
#define BINDCTL_SWEEP_H

#include "host/store.h"

/*
 * Removes it, where nobody is writing now. `locked` is the directory whose lock the caller holds, or NULL. What cannot
 * be removed stays: it does no harm, and bc_store_replace() gets by.
 */
void bc_store_sweep(const struct bc_store *store, const char *locked);

#endif
