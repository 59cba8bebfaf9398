/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One bind asked of an image in user space, by the very text that the kernel runs (bindctl/match.h). */
#ifndef BINDCTL_DECIDE_H
#define BINDCTL_DECIDE_H

#include "bindctl/abi.h"
#include "pure/compile.h"

/* Who binds what, where and when. Owns nothing. */
struct bc_question {
	uint32_t uid;	  /* effective */
	uint32_t gid;	  /* effective */
	uint32_t addr[4]; /* as in bindctl/abi.h */
	bool v4;	  /* addr is an IPv4 address */
	bool v6only;	  /* the socket: [::] leaves the IPv4 port alone */
	bool host_netns;
	uint8_t proto; /* enum bc_proto, one bit */
	uint16_t port;
	const uint32_t *groups; /* supplementary, in any order */
	size_t ngroups;
	const char *cgroup; /* path from the root, "/a/b"; NULL: the root */
	int64_t now;	    /* nanoseconds of Unix time */
};

/* A rule that was looked at, in order. */
struct bc_tried {
	uint32_t rule;	 /* its number in the image */
	uint32_t failed; /* enum bc_condition that did not hold; BC_TRIED_AUDITS; 0: the rule decided */
	bool v4;	 /* looked at for the IPv4 side of the bind */
	bool others;	 /* a reserve, as it concerns everyone but its subject */
};

#define BC_TRIED_AUDITS (1u << 16) /* a deny that holds, but only reports */

struct bc_answer {
	enum bc_verdict verdict;
	uint32_t rule;		/* BC_RULE_NONE with BC_NONE */
	int err;		/* with BC_DENY */
	bool both;		/* decided for IPv6 and IPv4, the lesser privilege taken */
	struct bc_tried *tried; /* owned; bc_answer_done() */
	size_t ntried, tried_room;
};

void bc_answer_done(struct bc_answer *answer);

/* 0, -ENOMEM, or -EBADMSG when the image is not one. */
int bc_decide_image(const struct bc_cells *image, const struct bc_question *question, struct bc_answer *ret_answer);

#endif
