/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would let a bind through that was refused. */
#ifndef BINDCTL_ADVICE_H
#define BINDCTL_ADVICE_H

#include "pure/decide.h"

/* A bind that was refused. */
struct bc_asked {
	struct bc_question question; /* its `groups` are not looked at: which they were, nobody remembers */
	bool grant;		     /* the kernel's own rule would refuse it: to allow it is not enough */
	bool chosen;		     /* port 0 was asked for, and the kernel chose this one */
};

/*
 * The rules that have to go first, and the rule that is then to be added: for the user, the ports and the protocol that
 * were asked for. bc_advice_done().
 */
struct bc_advice {
	uint32_t *taken; /* numbers in the policy; of those that mean the same in one file, one */
	size_t ntaken, taken_room;
	bool adds;
	bool addr;	    /* for the address alone that was asked for ... */
	bool both;	    /* ... and with another rule, for 0.0.0.0 besides :: */
	uint8_t verb;	    /* enum bc_verb */
	const char *cgroup; /* its cgroup, of the policy's; NULL: none */
	struct bc_range ports;
};

void bc_advice_done(struct bc_advice *advice);

/*
 * Asks the policy with each rule that comes into question, the shortest first: a cgroup or an address is named where a
 * rule would decide before it otherwise, and a rule goes only where it is as specific as can be. 0, -ENOENT when nothing
 * helps, -ENOMEM, or what bc_compile() says.
 */
int bc_advise(const struct bc_policy *policy, const struct bc_asked *asked, struct bc_advice *ret);

#endif
