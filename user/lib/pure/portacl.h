/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the rules of FreeBSD's mac_portacl(4) permit, as policy: IDTYPE:ID:PROTOCOL:PORT, parted by commas, with uid or
 * gid, numbers, and tcp or udp.
 */
#ifndef BINDCTL_PORTACL_H
#define BINDCTL_PORTACL_H

#include "base/error.h"
#include "pure/import.h"

/*
 * `source` NULL: the text is the rules themselves. Otherwise it is that file's: lines of rules, or of sysctl.conf(5)
 * such as security.mac.portacl.rules=RULES; `#` begins a comment, and variables of others are left alone. 0, or -EINVAL
 * with the place of the fault, or -errno.
 */
int bc_import_portacl(const char *source, const char *text, size_t len, struct bc_import *ret, struct bc_error *reterr);

#endif
