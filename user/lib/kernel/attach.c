// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bindctl.skel.h"
#include "bindctl/abi.h"
#include "host/mounts.h"
#include "kernel/attach.h"
#include "kernel/pin.h"
#include "kernel/probe.h"

static const struct {
	const char *name;
	enum bpf_attach_type type;
	uint32_t features; /* that need it; 0: all do */
} hooks[BC_HOOKS] = {
	[BC_HOOK_BIND4] = { "bind4", BPF_CGROUP_INET4_BIND },
	[BC_HOOK_BIND6] = { "bind6", BPF_CGROUP_INET6_BIND },
	/* For ports that the kernel chose, and where an answer relied on IPV6_V6ONLY. */
	[BC_HOOK_POST_BIND4] = { "post_bind4", BPF_CGROUP_INET4_POST_BIND, BC_F_DENY },
	[BC_HOOK_POST_BIND6] = { "post_bind6", BPF_CGROUP_INET6_POST_BIND, BC_F_DENY | BC_F_ADDR },
	/* For rewrites that are hidden. */
	[BC_HOOK_GETSOCKNAME4] = { "getsockname4", BPF_CGROUP_INET4_GETSOCKNAME, BC_F_REWRITE },
	[BC_HOOK_GETSOCKNAME6] = { "getsockname6", BPF_CGROUP_INET6_GETSOCKNAME, BC_F_REWRITE },
};

bool bc_hook_is_needed(enum bc_hook hook, uint32_t features)
{
	return !hooks[hook].features || features & hooks[hook].features;
}

const char *bc_hook_name(enum bc_hook hook)
{
	return hooks[hook].name;
}

/* libbpf speaks through one process-wide function. The last warning is kept for our own sentence. */
static __thread char libbpf_said[256];

static int hear_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[sizeof(libbpf_said)];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	/* Its later lines only repeat that loading failed. */
	if (!*libbpf_said)
		memcpy(libbpf_said, line, sizeof(line));
	return 0;
}

static void close_programs(struct bindctl_bpf **programs)
{
	bindctl_bpf__destroy(*programs);
}

/* The refusal of a load, in words: what is missing if something is, else what libbpf said. */
static int explain_load(int code, struct bc_error *reterr)
{
	int r = bc_probe_capabilities(reterr);

	if (!r)
		r = bc_probe_kernel(reterr);
	if (r)
		return r;
	return bc_fail_errno(reterr, code, "the kernel refused the programs (%s)", libbpf_said);
}

/*
 * The maps that outlive the programs: an upgrade takes them over. So does a program that is linked later than others,
 * or it would not find the notes that they leave.
 */
enum {
	POLICY,
	GATE,
	EVENTS,
	COUNTERS,
	NOTES,
	STATE,
	SEEN,
	PINNED_MAPS,
};

struct pinned_map {
	const char *pin;
	struct bpf_map *map;
	uint32_t type;
	bool taken_over;
};

static int take_over(const char *dir, struct pinned_map *pinned, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = bc_pin_open_map(dir, pinned->pin, pinned->type, &fd, NULL, reterr);

	if (r)
		return r == -ENOENT ? 0 : r;
	pinned->taken_over = true;
	r = bpf_map__reuse_fd(pinned->map, fd);
	return r ? bc_fail_errno(reterr, r, "cannot use the map %s/%s", dir, pinned->pin) : 0;
}

static int pin_map(const char *dir, const struct pinned_map *pinned, struct bc_error *reterr)
{
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, pinned->pin, reterr);

	if (r || pinned->taken_over)
		return r;
	if (bpf_obj_pin(bpf_map__fd(pinned->map), path))
		return bc_fail_errno(reterr, -errno, "cannot pin %s", path);
	return 0;
}

static int remember_notes(int state_fd, struct bc_error *reterr)
{
	const struct bc_state state = { .notes_left = 1 };
	const uint32_t only = 0;

	if (bpf_map_update_elem(state_fd, &only, &state, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write the BPF map of what programs remember");
	return 0;
}

/* Loads the programs onto the maps that are pinned, or onto new ones, which it pins. */
static int load_programs(const char *dir, struct bindctl_bpf **ret_programs, struct bc_error *reterr)
{
	_cleanup_(close_programs) struct bindctl_bpf *programs = NULL;
	int r;

	libbpf_set_print(hear_libbpf);
	libbpf_said[0] = '\0';
	programs = bindctl_bpf__open();
	if (!programs)
		return bc_fail_errno(reterr, -errno, "cannot open the programs (%s)", libbpf_said);
	struct pinned_map maps[PINNED_MAPS] = {
		[POLICY] = { .pin = BC_PIN_POLICY,
			     .map = programs->maps.bc_policy,
			     .type = BPF_MAP_TYPE_ARRAY_OF_MAPS },
		[GATE] = { .pin = BC_PIN_GATE, .map = programs->maps.bc_gate, .type = BPF_MAP_TYPE_ARRAY },
		[EVENTS] = { .pin = BC_PIN_EVENTS, .map = programs->maps.bc_events, .type = BPF_MAP_TYPE_RINGBUF },
		[COUNTERS] = { .pin = BC_PIN_COUNTERS,
			       .map = programs->maps.bc_counters,
			       .type = BPF_MAP_TYPE_PERCPU_ARRAY },
		[NOTES] = { .pin = BC_PIN_NOTES, .map = programs->maps.bc_notes, .type = BPF_MAP_TYPE_SK_STORAGE },
		[STATE] = { .pin = BC_PIN_STATE, .map = programs->maps.bc_state, .type = BPF_MAP_TYPE_ARRAY },
		[SEEN] = { .pin = BC_PIN_SEEN, .map = programs->maps.bc_seen, .type = BPF_MAP_TYPE_ARRAY },
	};

	r = 0;
	for (int i = 0; !r && i < PINNED_MAPS; i++)
		r = take_over(dir, &maps[i], reterr);
	if (r)
		return r;
	r = bindctl_bpf__load(programs);
	if (r)
		return explain_load(r, reterr);
	/* The slot's first map is there for the verifier alone: no policy is no image, not an empty one. */
	if (!maps[POLICY].taken_over)
		r = bc_image_withdraw(bpf_map__fd(programs->maps.bc_policy), reterr);
	/* A new gate keeps nothing back, whatever image may be in force. */
	if (!r && !maps[GATE].taken_over)
		r = bc_gate_open(&(struct bc_force){ .gate_fd = bpf_map__fd(programs->maps.bc_gate) }, reterr);
	/* Notes that are there already must not be overlooked. */
	if (!r && maps[NOTES].taken_over && !maps[STATE].taken_over)
		r = remember_notes(bpf_map__fd(programs->maps.bc_state), reterr);
	for (int i = 0; !r && i < PINNED_MAPS; i++)
		r = pin_map(dir, &maps[i], reterr);
	if (!r)
		*ret_programs = TAKE_PTR(programs);
	return r;
}

static int open_link(const char *dir, enum bc_hook hook, int *ret_fd, struct bc_error *reterr)
{
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, hooks[hook].name, reterr);

	if (r)
		return r;
	*ret_fd = bpf_obj_get(path);
	if (*ret_fd >= 0)
		return 0;
	return errno == ENOENT ? -ENOENT : bc_fail_errno(reterr, -errno, "cannot open %s", path);
}

static int link_info(int fd, const char *dir, enum bc_hook hook, struct bc_link *ret_link, struct bc_error *reterr)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);

	/* A map or a program under this name gives other information or none. */
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_LINK_TYPE_CGROUP ||
	    info.cgroup.attach_type != hooks[hook].type)
		return bc_fail(reterr, -EBADMSG, "%s/%s is not a link of the %s hook; was it replaced?", dir,
			       hooks[hook].name, hooks[hook].name);
	*ret_link = (struct bc_link){ true, info.cgroup.cgroup_id, info.prog_id };
	return 0;
}

int bc_link_read(const char *dir, enum bc_hook hook, struct bc_link *ret_link, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = open_link(dir, hook, &fd, reterr);

	*ret_link = (struct bc_link){};
	if (r)
		return r == -ENOENT ? 0 : r;
	return link_info(fd, dir, hook, ret_link, reterr);
}

#define PROGRAM_MAPS 16 /* more than a program of ours uses */

struct program {
	struct bpf_prog_info info;
	uint32_t maps[PROGRAM_MAPS];
};

static int program_info(int fd, struct program *ret)
{
	uint32_t size = sizeof(ret->info);

	*ret = (struct program){ .info.nr_map_ids = PROGRAM_MAPS };
	ret->info.map_ids = (uintptr_t)ret->maps;
	return bpf_obj_get_info_by_fd(fd, &ret->info, &size) ? -errno : 0;
}

/* Whether the linked program is the one just loaded: the same instructions, after relocation, on the same maps. */
static bool same_program(uint32_t linked, int fd)
{
	_cleanup_close_ int linked_fd = bpf_prog_get_fd_by_id(linked);
	struct program a, b;

	if (linked_fd < 0 || program_info(linked_fd, &a) || program_info(fd, &b))
		return false;
	return !memcmp(a.info.tag, b.info.tag, sizeof(a.info.tag)) && a.info.nr_map_ids == b.info.nr_map_ids &&
	       !memcmp(a.maps, b.maps, sizeof(a.maps));
}

static int attach_hook(const char *dir, enum bc_hook hook, int prog_fd, int cgroup_fd, const char *cgroup,
		       struct bc_error *reterr)
{
	_cleanup_close_ int fd = bpf_link_create(prog_fd, cgroup_fd, hooks[hook].type, NULL);
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, hooks[hook].name, reterr);

	if (r)
		return r;
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
	_cleanup_close_ int fd = -1;
	struct bc_link link;
	uint64_t id;
	int r = open_link(dir, hook, &fd, reterr);

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
	if (id != link.cgroup_id)
		return bc_fail(reterr, -EBUSY, "the pins in %s belong to another cgroup than %s; unload them first",
			       dir, cgroup);
	/* The kernel would let a bind6 program replace a bind4 one: `hook` chose both, so they agree. */
	if (!same_program(link.prog_id, prog_fd) && bpf_link_update(fd, prog_fd, NULL))
		return bc_fail_errno(reterr, -errno, "cannot replace the program at %s of %s", hooks[hook].name,
				     cgroup);
	return 0;
}

int bc_attach(const char *dir, int cgroup_fd, const char *cgroup, uint32_t features, struct bc_force *ret_force,
	      struct bc_error *reterr)
{
	_cleanup_(close_programs) struct bindctl_bpf *programs = NULL;
	/* Until all is done, programs and maps may not fit together: nobody takes them for something that serves. */
	int r = bc_pins_set_features(dir, 0, reterr);

	if (!r)
		r = load_programs(dir, &programs, reterr);
	if (r)
		return r;
	const int fds[BC_HOOKS] = {
		[BC_HOOK_BIND4] = bpf_program__fd(programs->progs.bc_bind4),
		[BC_HOOK_BIND6] = bpf_program__fd(programs->progs.bc_bind6),
		[BC_HOOK_POST_BIND4] = bpf_program__fd(programs->progs.bc_post_bind4),
		[BC_HOOK_POST_BIND6] = bpf_program__fd(programs->progs.bc_post_bind6),
		[BC_HOOK_GETSOCKNAME4] = bpf_program__fd(programs->progs.bc_getsockname4),
		[BC_HOOK_GETSOCKNAME6] = bpf_program__fd(programs->progs.bc_getsockname6),
	};

	/* The bind hooks last: they rely on those behind them. */
	for (int hook = BC_HOOKS - 1; !r && hook >= 0; hook--)
		r = settle_hook(dir, hook, bc_hook_is_needed(hook, features), fds[hook], cgroup_fd, cgroup, reterr);
	if (!r)
		r = bc_pins_set_features(dir, BC_F_KNOWN, reterr);
	return r ? r : bc_force_open(dir, ret_force, reterr);
}

int bc_detach(const char *dir, enum bc_hook hook, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	struct bc_link link;
	int r = open_link(dir, hook, &fd, reterr);

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

int bc_open_policy(const char *dir, int *ret_fd, struct bc_error *reterr)
{
	int r = bc_pin_open_map(dir, BC_PIN_POLICY, BPF_MAP_TYPE_ARRAY_OF_MAPS, ret_fd, NULL, reterr);

	return r == -ENOENT ? bc_fail(reterr, r, "nothing is loaded in %s", dir) : r;
}

int bc_force_open(const char *dir, struct bc_force *ret_force, struct bc_error *reterr)
{
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	int r = bc_open_policy(dir, &force.policy_fd, reterr);

	if (!r)
		r = bc_pin_open_map(dir, BC_PIN_GATE, BPF_MAP_TYPE_ARRAY, &force.gate_fd, NULL, reterr);
	if (r)
		return r;
	if (bpf_obj_get_info_by_fd(force.gate_fd, &info, &size) || info.value_size != sizeof(struct bc_gate))
		return bc_fail(reterr, -EBADMSG, "%s/%s is not what bindctl pinned there; was it replaced?", dir,
			       BC_PIN_GATE);
	*ret_force = force;
	force = BC_FORCE_NONE;
	return 0;
}

int bc_effective_programs(int cgroup_fd, enum bc_hook hook, struct bc_effective *ret, struct bc_error *reterr)
{
	uint32_t flags = 0;

	ret->n = ARRAY_SIZE(ret->ids);
	if (bpf_prog_query(cgroup_fd, hooks[hook].type, BPF_F_QUERY_EFFECTIVE, &flags, ret->ids, &ret->n)) {
		ret->n = 0;
		return bc_fail_errno(reterr, -errno, "cannot list the programs at the %s hook", hooks[hook].name);
	}
	return 0;
}
