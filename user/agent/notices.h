/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings in the log: each once when it appears and once when it is gone, however often they are found in between. */
#ifndef BINDCTL_NOTICES_H
#define BINDCTL_NOTICES_H

#include "agent/intent/finding.h"

typedef void notices_fn(void *ctx, const struct finding *finding, bool appeared);

/* Calls `say` for what is in one of them alone: first what has gone, then what has appeared. 0 or -ENOMEM. */
int notices_compare(const struct findings *before, const struct findings *now, notices_fn *say, void *ctx);

/* Logs how `found` differs from `*known`, and makes it `*known`; `found` is empty then. */
void notices_log(struct findings *known, struct findings *found);

/* What the library says of policy files, as findings: the object is a place in a file. */
void notices_of_report(const struct bc_report *report, struct findings *ret);

#endif
