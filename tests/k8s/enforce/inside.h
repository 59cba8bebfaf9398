/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a test that want namespaces of their own, and a directory for what they mount. */
#ifndef BINDCTL_TESTS_INSIDE_H
#define BINDCTL_TESTS_INSIDE_H

#include "pods.h"

/* What the child of the test does, which may leave its namespaces. */
struct inside {
	int (*run)(const struct inside *inside);
	const char *text;
	const char *node, *agent, *cgroup; /* of a container */
	const struct bc_store *store;
};

/* Runs it in a child, and fails the test unless it returns 0. */
void run_inside(const struct inside *inside);

/* In the child: what is wrong, for the output; what `run` returns then. */
int wrong(const char *what);

/* A test's setup and teardown: nothing in force, and a directory with the empty ones that in() leads to. */
int inside_make(void **state);
int inside_remove(void **state);

/* A path below that directory. */
const char *in(const char *name);

#endif
