/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent's file among those of the policy may be called. */
#ifndef BINDCTL_AGENT_FILENAME_H
#define BINDCTL_AGENT_FILENAME_H

#include "base/error.h"

#define FILENAME_DEFAULT "60-kubernetes.conf"

/* -EINVAL with a sentence for one that would not be read, or that others write. */
int filename_check(const char *name, struct bc_error *reterr);

#endif
