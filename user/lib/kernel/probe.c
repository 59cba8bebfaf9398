// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "host/privilege.h"
#include "kernel/probe.h"

int bc_probe_capabilities(struct bc_error *reterr)
{
	static const struct {
		int number;
		const char *name;
	} needed[] = {
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ CAP_PERFMON, "CAP_PERFMON" },
	};
	char missing[128] = "";
	uint64_t held = 0;
	int r = bc_privilege_held(&held);

	if (r)
		return bc_fail_errno(reterr, r, "cannot read this process's capabilities");
	if (held >> CAP_SYS_ADMIN & 1 && held >> CAP_NET_ADMIN & 1)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (held >> needed[i].number & 1)
			continue;
		if (*missing)
			strcat(missing, ", ");
		strcat(missing, needed[i].name);
	}
	if (!*missing)
		return 0;
	return bc_fail(reterr, -EPERM, "not permitted: this needs root, or %s, which the process lacks", missing);
}

/* Loads a cgroup/bind4 program and drops it again; 0 when the kernel takes it. */
static int try_program(const struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET4_BIND);
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "bc_probe", "GPL", insns, n, &opts);

	return fd < 0 ? -errno : 0;
}

/* return 1, after a call of `helper` (0: none) with zeroes and what is on the stack. */
static int try_helper(int helper)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		/* NOLINTNEXTLINE(misc-redundant-expression): two of these are 0 */
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = helper },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	if (!helper)
		return try_program(insns + 6, 2);
	/* bpf_set_retval() takes a number: leave the stack out of it. */
	if (helper == BPF_FUNC_set_retval) {
		const struct bpf_insn retval[] = {
			{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = -1 },
			insns[5],
			insns[6],
			insns[7],
		};

		return try_program(retval, ARRAY_SIZE(retval));
	}
	return try_program(insns, ARRAY_SIZE(insns));
}

/* The lockdown mode in force, or "" without lockdown. */
static void read_lockdown(char *mode, size_t size)
{
	_cleanup_close_ int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	char *start, *end;
	size_t len;

	*mode = '\0';
	if (fd < 0 || bc_read_all(fd, 4096, &text, &len))
		return;
	start = strchr(text, '[');
	end = start ? strchr(start, ']') : NULL;
	if (end)
		snprintf(mode, size, "%.*s", (int)(end - start - 1), start + 1);
}

int bc_probe_kernel(struct bc_error *reterr)
{
	char lockdown[32];
	int r;

	r = try_helper(0);
	if (r == -EPERM)
		return bc_fail(reterr, -EOPNOTSUPP,
			       "this kernel does not let the process load BPF programs, though it has "
			       "the capabilities; a container's seccomp filter may forbid bpf(2)");
	if (r == -ENOSYS)
		return bc_fail(reterr, -EOPNOTSUPP, "this kernel has no bpf(2) (CONFIG_BPF_SYSCALL)");
	if (r)
		return bc_fail(reterr, -EOPNOTSUPP,
			       "this kernel has no cgroup BPF programs at bind(2) (CONFIG_CGROUP_BPF)");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return bc_fail(reterr, -EOPNOTSUPP,
			       "this kernel has no BTF at /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)");
	if (try_helper(BPF_FUNC_set_retval))
		return bc_fail(reterr, -EOPNOTSUPP,
			       "this kernel is too old: its bind hooks cannot choose an errno "
			       "(bpf_set_retval, Linux 6.1 and later)");
	if (try_helper(BPF_FUNC_ktime_get_tai_ns))
		return bc_fail(reterr, -EOPNOTSUPP,
			       "this kernel is too old: its programs cannot read the time of day "
			       "(bpf_ktime_get_tai_ns, Linux 6.1 and later)");
	read_lockdown(lockdown, sizeof(lockdown));
	if (try_helper(BPF_FUNC_probe_read_kernel))
		return !strcmp(lockdown, "confidentiality") ?
			       bc_fail(reterr, -EOPNOTSUPP,
				       "kernel lockdown is in confidentiality mode, which forbids BPF "
				       "programs to read who is binding; integrity mode would do") :
			       bc_fail(reterr, -EOPNOTSUPP,
				       "this kernel does not let bind hooks read kernel memory "
				       "(bpf_probe_read_kernel)");
	return 0;
}
