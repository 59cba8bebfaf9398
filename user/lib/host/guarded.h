/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether others than root could change what is in a directory. */
#ifndef BINDCTL_GUARDED_H
#define BINDCTL_GUARDED_H

#include "base/error.h"

/*
 * 0, or -EPERM with a sentence when somebody other than root, or than who runs this, could remove or replace the
 * directory of pins or what is in it. One that is not there, or not to be seen, is no error.
 */
int bc_check_guarded(const char *dir, struct bc_error *reterr);

/* The same of what is in it, which others could open, and of the pins of maps write to. */
int bc_check_guarded_inside(const char *dir, struct bc_error *reterr);

#endif
