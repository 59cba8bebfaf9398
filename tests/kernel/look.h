/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command that fails must leave alone. */
#ifndef BINDCTL_LOOK_H
#define BINDCTL_LOOK_H

#include "base/util.h"

/* What a directory holds, a line each, hidden files too; and what the files say, if `contents`. */
void look_into(const char *dir, bool contents, struct bc_text *ret);

#endif
