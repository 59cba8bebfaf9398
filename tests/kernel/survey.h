/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be seen of the bed's instance: its files, its pins, and the BPF objects behind those. */
#ifndef BINDCTL_SURVEY_H
#define BINDCTL_SURVEY_H

#include "base/util.h"
#include "kernel/attach.h"

/* The names in the policy directory and in the pins' one, each on a line, sorted. */
void survey_names(struct bc_text *ret);

/*
 * The same with all that a command might change: contents, the policy in force, what is linked. With ids only the same
 * objects give the same text, without them also others of the same kind.
 */
void survey_state(struct bc_text *ret, bool ids);

/* A hook's link and the program behind it: ids, 0 where there is none. */
struct hooked {
	uint32_t link, program;
};

/* What is linked to the hooks; fails the test where that is not the hook's own program. */
void survey_hooks(struct hooked ret_hooks[BC_HOOKS]);

/* The id of the map that is pinned by that name; fails the test where there is none. */
uint32_t survey_map(const char *pin);

/* How many hooks have the same link, but another program than before. */
int survey_replaced(const struct hooked before[BC_HOOKS], const struct hooked after[BC_HOOKS]);

#endif
