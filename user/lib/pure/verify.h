/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an image is what the compiler would make of its rules: nobody has written into it since. */
#ifndef BINDCTL_VERIFY_H
#define BINDCTL_VERIFY_H

#include "base/error.h"
#include "pure/compile.h"

/*
 * `policy` is what the image decompiled to. What is filled in at publication and what the programs count is not looked
 * at. 0, -EBADMSG with a sentence, -ENOMEM.
 */
int bc_image_verify(const struct bc_cells *image, const struct bc_policy *policy, struct bc_error *reterr);

#endif
