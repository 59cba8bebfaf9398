// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bindctl.skel.h"
#include "bindctl/abi.h"
#include "host/process.h"
#include "kernel/pin.h"
#include "kernel/probe.h"
#include "kernel/programs.h"

/* libbpf speaks through one process-wide function. The last warning is kept for our own sentence. */
static __thread char libbpf_said[256];
#define SAID *libbpf_said ? " (" : "", libbpf_said, *libbpf_said ? ")" : "" /* for "%s%s%s" */

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

/* The refusal of a load, in words: what is missing if something is, else what libbpf said. */
static int explain_load(int code, struct bc_error *reterr)
{
	int r = bc_probe_capabilities(reterr);

	if (!r)
		r = bc_probe_kernel(reterr);
	if (r)
		return r;
	return bc_fail_errno(reterr, code, "the kernel refused the programs%s%s%s", SAID);
}

/*
 * The maps that outlive the programs: an upgrade takes them over. So does a program that is linked later than others,
 * or it would not find the notes that they leave.
 */
enum {
	POLICY,
	GATE,
	RINGS,
	READERS,
	REFUSALS,
	COUNTERS,
	NOTES,
	STATE,
	SEEN,
	PINNED_MAPS,
};

static const struct {
	const char *pin;
	uint32_t type;
	uint32_t since; /* the schema from which on what is in it has meant the same; the gate goes with the policy */
} kinds[PINNED_MAPS] = {
	[POLICY] = { BC_PIN_POLICY, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4 },
	[GATE] = { BC_PIN_GATE, BPF_MAP_TYPE_ARRAY, 4 },
	[RINGS] = { BC_PIN_RINGS, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4 },
	[READERS] = { BC_PIN_READERS, BPF_MAP_TYPE_ARRAY, 4 },
	[REFUSALS] = { BC_PIN_REFUSALS, BPF_MAP_TYPE_ARRAY, 4 },
	[COUNTERS] = { BC_PIN_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, 4 },
	[NOTES] = { BC_PIN_NOTES, BPF_MAP_TYPE_SK_STORAGE, 3 },
	[STATE] = { BC_PIN_STATE, BPF_MAP_TYPE_ARRAY, 4 },
	[SEEN] = { BC_PIN_SEEN, BPF_MAP_TYPE_ARRAY, 4 },
};

struct bc_programs {
	struct bindctl_bpf *skeleton;
	struct bpf_map *maps[PINNED_MAPS];
	bool taken_over[PINNED_MAPS];
};

void bc_programs_freep(struct bc_programs **programs)
{
	if (!*programs)
		return;
	bindctl_bpf__destroy((*programs)->skeleton);
	free(*programs);
}

/* The map of that kind that is pinned, if there is one, in the place of the programs' own. */
static int take_over(struct bc_programs *programs, const char *dir, int kind, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = bc_pin_open_map(dir, kinds[kind].pin, kinds[kind].type, &fd, NULL, reterr);

	/* What somebody else pinned there makes room for one of ours. */
	if (r)
		return r == -ENOENT || r == -EBADMSG ? 0 : r;
	programs->taken_over[kind] = true;
	r = bpf_map__reuse_fd(programs->maps[kind], fd);
	return r ? bc_fail_errno(reterr, r, "cannot use the map %s/%s", dir, kinds[kind].pin) : 0;
}

static int open_programs(struct bc_programs *programs, struct bc_error *reterr)
{
	struct bindctl_bpf *skeleton;

	libbpf_set_print(hear_libbpf);
	libbpf_said[0] = '\0';
	programs->skeleton = skeleton = bindctl_bpf__open();
	if (!skeleton)
		return bc_fail_errno(reterr, -errno, "cannot open the programs%s%s%s", SAID);
	programs->maps[POLICY] = skeleton->maps.bc_policy;
	programs->maps[GATE] = skeleton->maps.bc_gate;
	programs->maps[RINGS] = skeleton->maps.bc_rings;
	programs->maps[READERS] = skeleton->maps.bc_readers;
	programs->maps[REFUSALS] = skeleton->maps.bc_refusals;
	programs->maps[COUNTERS] = skeleton->maps.bc_counters;
	programs->maps[NOTES] = skeleton->maps.bc_notes;
	programs->maps[STATE] = skeleton->maps.bc_state;
	programs->maps[SEEN] = skeleton->maps.bc_seen;
	return 0;
}

/* Nothing of what was remembered but that there are notes. */
static int remember_notes(const struct bc_programs *programs, struct bc_error *reterr)
{
	const struct bc_state state = { .notes_left = 1 };
	const uint32_t only = 0;

	if (bpf_map_update_elem(bpf_map__fd(programs->maps[STATE]), &only, &state, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write the BPF map of what programs remember");
	return 0;
}

/* What new maps must say before any program runs on them. */
static int prepare_maps(const struct bc_programs *programs, struct bc_error *reterr)
{
	const struct bc_force force = bc_programs_force(programs);
	int r = 0;

	/* The slot's first map is there for the verifier alone: no policy is no image, not an empty one. */
	if (!programs->taken_over[POLICY])
		r = bc_image_withdraw(force.policy_fd, reterr);
	/* A new gate keeps nothing back, whatever image may be in force. */
	if (!r && !programs->taken_over[GATE])
		r = bc_gate_open(&force, reterr);
	/* Notes that are there already must not be overlooked. */
	if (!r && programs->taken_over[NOTES] && !programs->taken_over[STATE])
		r = remember_notes(programs, reterr);
	/* A state that somebody else wrote; programs write it, too, so one that is right is left alone. */
	if (!r && programs->taken_over[STATE] && !bc_state_is_right(bpf_map__fd(programs->maps[STATE])))
		r = remember_notes(programs, reterr);
	return r;
}

bool bc_state_is_right(int fd)
{
	uint64_t host = bc_process_host_cookie();
	struct bc_state state = {};
	const uint32_t only = 0;

	return !host || bpf_map_lookup_elem(fd, &only, &state) || !state.host_netns || state.host_netns == host;
}

int bc_programs_load(const char *dir, uint32_t schema, struct bc_programs **ret, struct bc_error *reterr)
{
	_cleanup_(bc_programs_freep) struct bc_programs *programs = calloc(1, sizeof(*programs));
	int r;

	if (!programs)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	r = open_programs(programs, reterr);
	for (int kind = 0; !r && kind < PINNED_MAPS; kind++)
		if (schema >= kinds[kind].since)
			r = take_over(programs, dir, kind, reterr);
	if (r)
		return r;
	r = bindctl_bpf__load(programs->skeleton);
	if (r)
		return explain_load(r, reterr);
	r = prepare_maps(programs, reterr);
	if (!r)
		*ret = TAKE_PTR(programs);
	return r;
}

int bc_programs_pin(const struct bc_programs *programs, const char *dir, struct bc_error *reterr)
{
	int r = 0;

	for (int kind = 0; !r && kind < PINNED_MAPS; kind++)
		if (!programs->taken_over[kind])
			r = bc_pin_put(dir, kinds[kind].pin, bpf_map__fd(programs->maps[kind]), reterr);
	return r;
}

int bc_programs_fd(const struct bc_programs *programs, enum bc_hook hook)
{
	const struct bpf_program *const all[BC_HOOKS] = {
		[BC_HOOK_BIND4] = programs->skeleton->progs.bc_bind4,
		[BC_HOOK_BIND6] = programs->skeleton->progs.bc_bind6,
		[BC_HOOK_POST_BIND4] = programs->skeleton->progs.bc_post_bind4,
		[BC_HOOK_POST_BIND6] = programs->skeleton->progs.bc_post_bind6,
		[BC_HOOK_GETSOCKNAME4] = programs->skeleton->progs.bc_getsockname4,
		[BC_HOOK_GETSOCKNAME6] = programs->skeleton->progs.bc_getsockname6,
	};

	return bpf_program__fd(all[hook]);
}

_Static_assert(BC_LINKED == BC_HOOKS, "a place for each");

void bc_programs_name(const struct bc_programs *programs, uint32_t ret_ids[BC_LINKED])
{
	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++) {
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		ret_ids[hook] = bpf_obj_get_info_by_fd(bc_programs_fd(programs, hook), &info, &size) ? 0 : info.id;
	}
}

struct bc_force bc_programs_force(const struct bc_programs *programs)
{
	return (struct bc_force){ .policy_fd = bpf_map__fd(programs->maps[POLICY]),
				  .gate_fd = bpf_map__fd(programs->maps[GATE]) };
}
