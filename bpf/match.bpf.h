/* SPDX-License-Identifier: GPL-2.0-only */
/* match.h for the kernel: how the hooks of search.h read an image, a task, a socket and a clock. */
#ifndef BINDCTL_MATCH_BPF_H
#define BINDCTL_MATCH_BPF_H

#define BC_CELL(s, n) ((const union bc_cell *)find_cell((s)->image, (s)->first, n))
#define BC_LOOP(n, fn, ctx) bpf_loop(n, fn, ctx, 0)
#define BC_IS_V6ONLY(m) is_v6only((m)->socket)
#define BC_IN_GROUP(m, gid) in_group(gid)
/* The only wall clock that these programs may read, but for the offset. */
#define BC_NOW(m) (bpf_ktime_get_tai_ns() - (m)->tai_offset * 1000000000LL)
#define BC_TRACE(s, ref, failed) ((void)0)
#define BC_COMPONENT(m, i) component((m)->walk.cgroup, (m)->walk.start + 1 + (i), (m)->walk.level, &(m)->walk.name)
#define BC_NAME_PART(m, n) name_part((m)->walk.name, n, &(m)->walk.part)
#define BC_NOINLINE __noinline
#define BC_GLOBAL __noinline
#include "bindctl/match.h"

#endif
