/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binds as they happen, kept as what there is to learn from them: each kind of bind once, however often it was seen.
 * pure/learned.h makes rules of it.
 */
#ifndef BINDCTL_LEARN_H
#define BINDCTL_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bindctl/abi.h"

/* What became of a bind, as far as bindctl has a say in it. In the order in which they are told. */
enum bc_fate {
	BC_FATE_PASSED = 1, /* no rule refused it; the kernel may have, for want of a grant */
	BC_FATE_LED,	    /* a rule rewrote it */
	BC_FATE_REFUSED,    /* a rule refused it */
};

/* What makes two binds the same. No padding: it is compared as bytes. */
struct bc_seen_key {
	uint32_t uid; /* effective */
	uint32_t addr[4];
	uint32_t rule; /* id of the one that refused or rewrote it, else 0 */
	uint16_t port; /* 0: the kernel was to choose */
	uint8_t proto; /* enum bc_proto */
	uint8_t fate;  /* enum bc_fate */
	uint8_t both;  /* of [::], and takes the IPv4 port along */
	uint8_t unused[3];
};

#define BC_PROGRAMS 4 /* names of programs that are kept */

/* How often, when, and by which programs. */
struct bc_sightings {
	uint64_t binds;
	uint64_t ungranted;		/* of these, what the kernel refused because nothing granted the port */
	uint64_t first, last;		/* nanoseconds of Unix time */
	char programs[BC_PROGRAMS][17]; /* the first ones, as the kernel names them: any bytes */
	unsigned nprograms;		/* BC_PROGRAMS + 1: there were more */
};

struct bc_seen {
	struct bc_seen_key key;
	bool grant;   /* some of them came without the capability that the port needs */
	bool foreign; /* some came from outside of the initial network namespace */
	bool chosen;  /* refused: not what was asked for, but the port that the kernel chose */
	char *by;     /* the rule that refused or rewrote it, in words; NULL: not known */
	struct bc_sightings sightings;
};

/* Owns everything it points to. Zero-initialised is empty. */
struct bc_learn {
	struct bc_seen **seen; /* in the order in which they were first seen */
	size_t n;
	size_t room;
	void *tree;	 /* of the same */
	uint64_t binds;	 /* in all, those included that are ... */
	uint64_t unkept; /* ... kept nowhere, because there were too many different ones */
};

/* Different binds that are kept: anybody can bind at many addresses, and must not take all memory that way. */
#define BC_LEARN_MAX 262144u

void bc_learn_done(struct bc_learn *learn);

/*
 * Learns from an event of a reader that wants all. `by` is the rule that decided it, in words, or NULL. What comes
 * besides another event of the same bind is left out. 0 or -ENOMEM.
 */
int bc_learn_add(struct bc_learn *learn, const struct bc_event *event, const char *by);

/* Adds the one's counts, times and names to the other's. */
void bc_sightings_add(struct bc_sightings *to, const struct bc_sightings *from);

#endif
