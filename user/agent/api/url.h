/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be the address of an API server. */
#ifndef BINDCTL_AGENT_URL_H
#define BINDCTL_AGENT_URL_H

#include <stdbool.h>

/*
 * https://HOST[:PORT][/PATH], or with `plain` also http://: a host's name, an IPv4 address, or an IPv6 address in brackets,
 * without a user, a query or anything that would have to be escaped.
 */
bool url_check(const char *url, bool plain);

#endif
