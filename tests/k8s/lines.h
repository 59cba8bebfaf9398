/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reflector tells its owner, a line each, on standard output. Behind the resource's name: LIST-BEGIN, SET
 * [NS/]NAME VERSION, GONE [NS/]NAME, UNREADABLE [NS/]NAME: WHY, LIST-END, SYNCED, NOTE info|warning|debug: TEXT, STATS
 * NAME=N... In names and versions what could be mistaken for something else is \xHH.
 */
#ifndef TESTS_K8S_LINES_H
#define TESTS_K8S_LINES_H

#include <stdbool.h>
#include "agent/api/reflector.h"

struct resource {
	struct reflector *reflector;
	const char *name;
	bool stats; /* its counts at each SYNCED */
};

/* The callbacks, for what is to be *resource. */
void lines_set(struct resource *resource, struct reflector_config *config);

void lines_stats(const struct resource *resource);

#endif
