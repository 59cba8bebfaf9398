/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An instance as a build of schema 3 left it, frozen in tests/kernel/schema-3: programs.elf are its programs, image is
 * what it compiled of OLDER_POLICY.
 */
#ifndef BINDCTL_OLDER_H
#define BINDCTL_OLDER_H

#include "bed.h"

#define OLDER_SCHEMA 3
#define OLDER_POLICY "grant user 65534 port 443\ndeny port 8443 errno EPERM\n"

/* Loads, attaches and pins it in the bed, with a mark that says `schema`; the policy file says the same. */
void older_load(uint32_t schema);

#endif
