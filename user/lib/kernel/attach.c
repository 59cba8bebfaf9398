// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bindctl/abi.h"
#include "host/mounts.h"
#include "kernel/attach.h"
#include "kernel/pin.h"
#include "kernel/programs.h"

static const struct {
	const char *name;
	enum bpf_attach_type type;
	uint32_t features; /* that need it; 0: all do */
} hooks[BC_HOOKS] = {
	[BC_HOOK_BIND4] = { BC_PIN_BIND4, BPF_CGROUP_INET4_BIND },
	[BC_HOOK_BIND6] = { BC_PIN_BIND6, BPF_CGROUP_INET6_BIND },
	/* For ports that the kernel chose. */
	[BC_HOOK_POST_BIND4] = { BC_PIN_POST_BIND4, BPF_CGROUP_INET4_POST_BIND, BC_F_DENY },
	/* ... and where an answer relied on IPV6_V6ONLY, or another family than was asked about makes a difference. */
	[BC_HOOK_POST_BIND6] = { BC_PIN_POST_BIND6, BPF_CGROUP_INET6_POST_BIND, BC_F_DENY | BC_F_ADDR | BC_F_REWRITE },
	/* For rewrites that are hidden. */
	[BC_HOOK_GETSOCKNAME4] = { BC_PIN_GETSOCKNAME4, BPF_CGROUP_INET4_GETSOCKNAME, BC_F_REWRITE },
	[BC_HOOK_GETSOCKNAME6] = { BC_PIN_GETSOCKNAME6, BPF_CGROUP_INET6_GETSOCKNAME, BC_F_REWRITE },
};

bool bc_hook_is_needed(enum bc_hook hook, uint32_t features)
{
	return !hooks[hook].features || features & hooks[hook].features;
}

const char *bc_hook_name(enum bc_hook hook)
{
	return hooks[hook].name;
}

static int link_info(int fd, const char *dir, enum bc_hook hook, struct bc_link *ret_link, struct bc_error *reterr)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);

	/* A map or a program under this name gives other information or none. */
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_LINK_TYPE_CGROUP ||
	    info.cgroup.attach_type != hooks[hook].type) {
		bc_pin_replaced(dir, hooks[hook].name, reterr);
		return -EBADMSG;
	}
	*ret_link = (struct bc_link){ true, info.cgroup.cgroup_id, info.prog_id };
	return 0;
}

int bc_link_read(const char *dir, enum bc_hook hook, struct bc_link *ret_link, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = bc_pin_open(dir, hooks[hook].name, &fd, reterr);

	*ret_link = (struct bc_link){};
	if (r)
		return r == -ENOENT ? 0 : r;
	return link_info(fd, dir, hook, ret_link, reterr);
}

int bc_program_read(uint32_t id, struct bc_program *ret)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = { .nr_map_ids = BC_PROGRAM_MAPS };
	uint32_t size = sizeof(info);

	*ret = (struct bc_program){};
	info.map_ids = (uintptr_t)ret->maps;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	ret->nmaps = info.nr_map_ids;
	memcpy(ret->name, info.name, sizeof(ret->name) - 1);
	return 0;
}

bool bc_program_is_ours(const struct bc_program *program, enum bc_hook hook)
{
	return !strncmp(program->name, "bc_", 3) && !strcmp(program->name + 3, hooks[hook].name);
}

bool bc_program_uses(const struct bc_program *program, uint32_t map_id)
{
	for (uint32_t i = 0; i < program->nmaps && i < BC_PROGRAM_MAPS; i++)
		if (program->maps[i] == map_id)
			return true;
	return false;
}

static int attach_hook(const char *dir, enum bc_hook hook, int prog_fd, int cgroup_fd, const char *cgroup,
		       struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, hooks[hook].name, reterr);

	if (r)
		return r;
	fd = bpf_link_create(prog_fd, cgroup_fd, hooks[hook].type, NULL);
	if (fd < 0 && errno == EPERM)
		return bc_fail(reterr, -EPERM,
			       "cannot attach to %s of %s: another program is attached there, or to a parent, "
			       "without leave for others (see: bpftool cgroup tree)",
			       hooks[hook].name, cgroup);
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot attach to %s of %s", hooks[hook].name, cgroup);
	if (bpf_obj_pin(fd, path))
		return bc_fail_errno(reterr, -errno, "cannot pin %s", path);
	return 0;
}

/* Brings one hook from whatever it is now to this program; what is not needed stays away if it is. */
static int settle_hook(const char *dir, enum bc_hook hook, bool needed, int prog_fd, int cgroup_fd, const char *cgroup,
		       struct bc_error *reterr)
{
	_cleanup_free_ char *other = NULL;
	_cleanup_close_ int fd = -1;
	struct bc_link link;
	uint64_t id;
	int r = bc_pin_open(dir, hooks[hook].name, &fd, reterr);

	if (r == -ENOENT)
		return needed ? attach_hook(dir, hook, prog_fd, cgroup_fd, cgroup, reterr) : 0;
	if (!r)
		r = link_info(fd, dir, hook, &link, reterr);
	if (r)
		return r;
	if (!link.cgroup_id) {
		r = bc_pin_remove(dir, hooks[hook].name, reterr);
		return r ? r : attach_hook(dir, hook, prog_fd, cgroup_fd, cgroup, reterr);
	}
	r = bc_cgroup_id(cgroup_fd, &id);
	if (r)
		return bc_fail_errno(reterr, r, "cannot identify the cgroup %s", cgroup);
	if (id != link.cgroup_id) {
		other = bc_cgroup_name(link.cgroup_id);
		return bc_fail(reterr, -EBUSY,
			       "the pins in %s belong to %s%s, not to %s; to move them, run: bindctl unload", dir,
			       other ? "the cgroup " : "another cgroup", other ?: "", cgroup);
	}
	/*
	 * Whether it is the same program already is not asked: that would take CAP_SYS_ADMIN. The kernel would let a
	 * bind6 program replace a bind4 one: `hook` chose both, so they agree.
	 */
	if (bpf_link_update(fd, prog_fd, NULL))
		return bc_fail_errno(reterr, -errno, "cannot replace the program at %s of %s", hooks[hook].name,
				     cgroup);
	return 0;
}

int bc_attach(const char *dir, const struct bc_programs *programs, int cgroup_fd, const char *cgroup, uint32_t features,
	      struct bc_error *reterr)
{
	int r = 0;

	/* The bind hooks last: they rely on those behind them. */
	for (int hook = BC_HOOKS - 1; !r && hook >= 0; hook--)
		r = settle_hook(dir, hook, bc_hook_is_needed(hook, features), bc_programs_fd(programs, hook), cgroup_fd,
				cgroup, reterr);
	return r;
}

int bc_detach(const char *dir, enum bc_hook hook, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	struct bc_link link;
	int r = bc_pin_open(dir, hooks[hook].name, &fd, reterr);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = link_info(fd, dir, hook, &link, reterr);
	if (r)
		return r;
	/* Somebody may hold the link open: detach it for all. A link whose cgroup is gone is detached already. */
	if (bpf_link_detach(fd) && errno != ENOLINK)
		return bc_fail_errno(reterr, -errno, "cannot detach %s/%s", dir, hooks[hook].name);
	return bc_pin_remove(dir, hooks[hook].name, reterr);
}

int bc_query(int cgroup_fd, enum bc_hook hook, bool effective, struct bc_attached *ret, struct bc_error *reterr)
{
	uint32_t flags = effective ? BPF_F_QUERY_EFFECTIVE : 0, attached = 0;

	ret->n = ARRAY_SIZE(ret->ids);
	if (bpf_prog_query(cgroup_fd, hooks[hook].type, flags, &attached, ret->ids, &ret->n)) {
		ret->n = 0;
		return bc_fail_errno(reterr, -errno, "cannot list the programs at the %s hook", hooks[hook].name);
	}
	ret->overridable = attached & BPF_F_ALLOW_OVERRIDE;
	return 0;
}
