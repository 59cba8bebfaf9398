/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random configurations of authbind, from few users, ports and addresses, so that its files meet in every way. */
#ifndef BINDCTL_AUTHTREE_H
#define BINDCTL_AUTHTREE_H

#include <stdint.h>

#include "base/util.h"

#define AUTHTREE_DIR "/etc/authbind"

extern const uint32_t authtree_users[4], authtree_groups[3]; /* user i has a group of its own, authtree_own_group(i) */
extern const uint16_t authtree_ports[9];
extern const char *const authtree_addrs[10]; /* IPv4 and IPv6, the wildcards first in each */

#define AUTHTREE_V4 5 /* so many of them are IPv4 */

/*
 * Makes one in AUTHTREE_DIR, which is empty or holds another one, which goes. `ret_told` gets it in words, for whoever
 * has to find out what went wrong. What cannot happen aborts.
 */
void authtree_make(uint64_t *state, struct bc_text *ret_told);

#endif
