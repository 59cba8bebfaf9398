/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for the numbers that an image holds. */
#ifndef BINDCTL_CMD_NAMES_H
#define BINDCTL_CMD_NAMES_H

#include "pure/policy.h"

/* Gives every rule's subject its name, where it has one. Each uid is looked up once. */
void add_names(struct bc_policy *policy);

#endif
