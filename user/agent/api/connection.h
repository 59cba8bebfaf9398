/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request of http.h may do on the network: whom it trusts, where it goes, and what it does not follow. */
#ifndef BINDCTL_AGENT_CONNECTION_H
#define BINDCTL_AGENT_CONNECTION_H

#include <curl/curl.h>
#include "agent/api/config.h"

/* A connection that is not made by then is given up. */
#define CONNECTION_MS 10000

/* Sets the address (the cluster's, with `target` behind), the protocol and TLS. 0, -ENOMEM, or -EIO: libcurl cannot. */
int connection_set(CURL *easy, const struct cluster *cluster, const char *target);

#endif
