/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this process may do, and giving up what it need not. Capabilities are masks: BC_CAP(CAP_BPF). */
#ifndef BINDCTL_PRIVILEGE_H
#define BINDCTL_PRIVILEGE_H

#include <linux/capability.h>
#include <stdint.h>

#include "base/error.h"

#define BC_CAP(number) (UINT64_C(1) << (number))

/* To load, attach and ask the programs, and to read and write their maps. */
#define BC_CAPS_BPF (BC_CAP(CAP_BPF) | BC_CAP(CAP_NET_ADMIN) | BC_CAP(CAP_PERFMON))

/* To ask a user's service manager, as that user, where a unit is; and to end the child that asks. */
#define BC_CAPS_UNITS (BC_CAP(CAP_SETUID) | BC_CAP(CAP_SETGID) | BC_CAP(CAP_KILL))

/* To see which sockets the processes of other users have open. */
#define BC_CAPS_PROCESSES (BC_CAP(CAP_SYS_PTRACE) | BC_CAP(CAP_DAC_READ_SEARCH))

/* The effective ones. 0 or -errno. */
int bc_privilege_held(uint64_t *ret_held);

/*
 * Gives up every capability but those of `keep`, for good: this process and its children get no other one any more,
 * whatever they execute. What it has not, it does not get. Older containers have CAP_SYS_ADMIN in the place of CAP_BPF
 * and CAP_PERFMON: who needs one of these and lacks it keeps that. 0 or -errno with a sentence.
 */
int bc_privilege_keep(uint64_t keep, struct bc_error *reterr);

#endif
