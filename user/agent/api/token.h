/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secret that says who we are to the API server. It is never part of an error. */
#ifndef BINDCTL_AGENT_TOKEN_H
#define BINDCTL_AGENT_TOKEN_H

#include "base/error.h"

/* What a file holds, without the blanks behind it; *ret is malloc'ed. */
int token_read(const char *path, char **ret, struct bc_error *reterr);

/* Whether it has only bytes that tokens have: none that would end the header's line that it stands in. */
int token_check(const char *token, struct bc_error *reterr);

#endif
