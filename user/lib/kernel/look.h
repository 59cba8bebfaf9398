/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One look at how an instance stands: what status.c and neighbours.c share. */
#ifndef BINDCTL_LOOK_H
#define BINDCTL_LOOK_H

#include "kernel/status.h"

struct bc_look {
	const struct bc_instance *instance;
	struct bc_status *status;
	struct bc_report *findings;
	struct bc_schema mark;
	const char *root; /* of cgroup2, and open */
	int root_fd;
	struct {
		const char *pin;
		uint32_t id;	/* 0: not there */
		uint32_t hooks; /* whose programs must use it, a bit each */
	} maps[9];
	bool good; /* no fault was found yet */
};

/* A fault of the instance, in words; its policy is not enforced, or it is not as it should be. */
#define bc_look_found(look, ...)                          \
	do {                                              \
		struct bc_error _error = {};              \
		bc_fail(&_error, 0, __VA_ARGS__);         \
		bc_report_add((look)->findings, &_error); \
		(look)->good = false;                     \
	} while (0)

/* Whether the kernel runs our program for the open cgroup, the instance's, and who else has one at that hook. */
int bc_look_around(struct bc_look *look, enum bc_hook hook, int cgroup_fd, struct bc_error *reterr);

#endif
