/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a policy would let somebody bind today what he holds since some other day. */
#ifndef BINDCTL_HOLD_H
#define BINDCTL_HOLD_H

#include "pure/decide.h"

/* Who holds what. */
struct bc_held {
	struct bc_question question; /* a bind of the address and port that the socket has now */
	bool v6;		     /* it is an IPv6 socket */
	bool binds_low;		     /* he has CAP_NET_BIND_SERVICE */
	uint16_t free_from;	     /* ports from this one on take no capability (ip_unprivileged_port_start) */
};

struct bc_hold {
	enum bc_verdict verdict;
	uint32_t rule; /* BC_RULE_NONE when no rule decides */
	int err;       /* with BC_DENY */
	bool let;      /* he would get this address and port */
};

/*
 * Asks the image; `policy` is what it decompiles to. A rewrite that leads elsewhere does not let him have this port, and
 * a port that he could only get by a rewrite, being led to it, he is let have by that. 0, -ENOMEM, or -EBADMSG when the
 * image is not one.
 */
int bc_hold_decide(const struct bc_cells *image, const struct bc_policy *policy, const struct bc_held *held,
		   struct bc_hold *ret);

/* The same where no policy reaches: the kernel's own rule alone. */
void bc_hold_by_kernel(const struct bc_held *held, struct bc_hold *ret);

#endif
