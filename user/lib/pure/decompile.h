/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image back to the rules it was compiled from. */
#ifndef BINDCTL_DECOMPILE_H
#define BINDCTL_DECOMPILE_H

#include "base/error.h"
#include "pure/compile.h"

/*
 * Adds the image's rules to an empty policy, in the order of the compiled one, their subjects as numbers. 0, -EBADMSG
 * (see bc_image_check() in inspect.h, which it begins with), -ENOMEM.
 */
int bc_decompile(const struct bc_cells *image, struct bc_policy *policy, struct bc_error *reterr);

#endif
