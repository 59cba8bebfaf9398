/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authbind's directory, read for pure/authbind.h. */
#ifndef BINDCTL_AUTHDIR_H
#define BINDCTL_AUTHDIR_H

#include "pure/authbind.h"

#define BC_AUTH_DIR "/etc/authbind" /* where authbind looks, and nowhere else */

/* 0, or -errno with a sentence: what cannot be read might permit anything. */
int bc_auth_read(const char *dir, struct bc_auth *ret, struct bc_error *reterr);

#endif
