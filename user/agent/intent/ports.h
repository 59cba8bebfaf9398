/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port ranges, out of JSON and out of text. */
#ifndef BINDCTL_AGENT_PORTS_H
#define BINDCTL_AGENT_PORTS_H

#include "agent/intent/rules.h"

/* "443", "8000-8100" or "any". -EINVAL with a sentence in `why`. */
int ports_range(const char *text, size_t len, struct bc_range *ret, char *why, size_t size);

/*
 * A list of numbers and strings, added to the rules' ranges. 0, -EINVAL with the place, -ENOMEM. `some`: what cannot be read
 * is left out, as long as something is left.
 */
int ports_parse(const struct field *field, bool some, struct rules *rules, struct rule *rule, struct bc_error *reterr);

#endif
