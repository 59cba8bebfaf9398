/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who could take pins away: whoever may write their directory can, without any right to the programs themselves. */
#ifndef BINDCTL_RIGHTS_H
#define BINDCTL_RIGHTS_H

#include "base/error.h"

/* The directory alone: 0, or -EPERM with a sentence when it is not root's, or others than root may write there. */
int bc_pins_check_directory(const char *dir, struct bc_error *reterr);

/* The same of the directory and of each thing in it. */
int bc_pins_check_rights(const char *dir, struct bc_error *reterr);

#endif
