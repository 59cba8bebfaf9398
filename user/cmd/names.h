/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for the numbers that an image holds, and numbers for the names that people write. */
#ifndef BINDCTL_CMD_NAMES_H
#define BINDCTL_CMD_NAMES_H

#include <sys/types.h>

#include "pure/policy.h"
#include "pure/resolve.h"

/* This host's users, groups and units. */
extern const struct bc_names host_names;

/* Gives every rule's subject its name, where it has one. Each id is looked up once. */
void add_names(struct bc_policy *policy);

/* The same for rules that are to be written as policy: with names that it reads back as these numbers, and no others. */
void add_written_names(struct bc_policy *policy);

/* Such a name of a user, malloc'ed. NULL: write the number. */
char *written_user(uid_t uid);

#endif
