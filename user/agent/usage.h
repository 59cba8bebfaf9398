/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this process takes of the machine. */
#ifndef BINDCTL_USAGE_H
#define BINDCTL_USAGE_H

#include <stdint.h>

struct usage {
	uint64_t resident; /* bytes */
	uint64_t fds;
	double cpu; /* seconds, user's and system's */
};

/* From /proc. 0 or -errno. */
int usage_read(struct usage *ret);

#endif
