/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say of an option that getopt_long(3) refuses, in the words of all our programs. */
#ifndef BINDCTL_OPTION_H
#define BINDCTL_OPTION_H

#include "base/error.h"

/* `option` is what it returned, '?' or, as its letters begin with a colon, ':'; its globals are read. -EINVAL. */
int bc_option_refused(int option, char **argv, struct bc_error *reterr);

#endif
