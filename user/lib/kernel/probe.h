/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this machine lacks to run the programs, in a sentence instead of an errno. */
#ifndef BINDCTL_PROBE_H
#define BINDCTL_PROBE_H

#include "base/error.h"

/*
 * Whether the process may do it: CAP_BPF and CAP_NET_ADMIN, CAP_PERFMON, or CAP_SYS_ADMIN for all three. -EPERM and a
 * sentence that names those missing.
 */
int bc_probe_capabilities(struct bc_error *reterr);

/*
 * Whether the kernel can: bpf(2), cgroup programs, BTF; and in bind hooks bpf_set_retval(), bpf_ktime_get_tai_ns() and
 * bpf_probe_read_kernel(), which lockdown may forbid. Asks for each thing itself, never for a version. Loads nothing
 * lasting. -EOPNOTSUPP and a sentence that names the first one missing.
 */
int bc_probe_kernel(struct bc_error *reterr);

#endif
