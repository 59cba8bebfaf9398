// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/privilege.h"

/* Both halves of each set. Give it zeroes to begin with: valgrind believes that the kernel writes the low one alone. */
struct sets {
	struct __user_cap_data_struct low, high;
};

static int get_sets(struct sets *ret)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, ret) ? -errno : 0;
}

static int set_sets(const struct sets *sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

int bc_privilege_held(uint64_t *ret_held)
{
	struct sets sets = {};
	int r = get_sets(&sets);

	if (!r)
		*ret_held = sets.low.effective | (uint64_t)sets.high.effective << 32;
	return r;
}

/* What a program that we execute could get back. Without CAP_SETPCAP the bound stays; then no_new_privs has to do. */
static int drop_bounds(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

int bc_privilege_keep(uint64_t keep, struct bc_error *reterr)
{
	const uint64_t newer = keep & (BC_CAP(CAP_BPF) | BC_CAP(CAP_PERFMON));
	struct sets sets = {};
	uint64_t held;
	int r = get_sets(&sets);

	if (!r)
		r = drop_bounds();
	if (!r) {
		held = sets.low.effective | (uint64_t)sets.high.effective << 32;
		if (newer & ~held)
			keep |= BC_CAP(CAP_SYS_ADMIN);
		keep &= held;
		sets.low = (struct __user_cap_data_struct){ .effective = keep, .permitted = keep };
		sets.high = (struct __user_cap_data_struct){ .effective = keep >> 32, .permitted = keep >> 32 };
		r = set_sets(&sets);
	}
	return r ? bc_fail_errno(reterr, r, "cannot give up privileges that are not needed") : 0;
}
