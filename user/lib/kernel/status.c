// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "host/guarded.h"
#include "host/mounts.h"
#include "kernel/events.h"
#include "kernel/look.h"
#include "kernel/programs.h"
#include "kernel/status.h"
#include "pure/decompile.h"
#include "pure/gate.h"
#include "pure/verify.h"

/* Hooks whose programs decide. */
#define BINDING (1u << BC_HOOK_BIND4 | 1u << BC_HOOK_BIND6 | 1u << BC_HOOK_POST_BIND4 | 1u << BC_HOOK_POST_BIND6)

/* Of look->maps. */
enum {
	POLICY,
};

void bc_status_done(struct bc_status *status)
{
	for (size_t i = 0; i < status->nneighbours; i++)
		free(status->neighbours[i].cgroup);
	free(status->neighbours);
	bc_policy_done(&status->policy);
	free(status->cgroup);
	*status = (struct bc_status){};
}

/* A link that holds nothing: who let go of it? */
static void check_dead(struct bc_look *look, enum bc_hook hook)
{
	_cleanup_free_ char *path = look->mark.cgroup ? bc_cgroup_path(look->root_fd, look->mark.cgroup) : NULL;

	look->status->links[hook].cgroup_id = 0;
	if (path)
		bc_look_found(look, "%s: somebody detached our program from %s; run: bindctl load", bc_hook_name(hook),
			      path);
	else
		bc_look_found(look,
			      "%s: the cgroup that it was attached to was removed; load with another --cgroup, or run: "
			      "bindctl unload",
			      bc_hook_name(hook));
}

/* That the linked program is ours, and reads the maps that commands write. */
static void check_program(struct bc_look *look, enum bc_hook hook)
{
	/* Features there are none while programs are being replaced. */
	uint32_t id = look->status->links[hook].prog_id, put = look->mark.features ? look->mark.programs[hook] : 0;
	const char *name = bc_hook_name(hook);
	struct bc_program program;
	/* Its name, by the kernel's rule, is not for everyone to see. */
	bool seen = !bc_program_read(id, &program);

	if (seen && !bc_program_is_ours(&program, hook))
		bc_look_found(look, "%s: the link runs a program that is not bindctl's, %u (%s); run: bindctl load",
			      name, id, program.name);
	/* A name is no proof. */
	else if (put && put != id)
		bc_look_found(look,
			      "%s: the link runs program %u, and not %u, which bindctl put there; run: bindctl load",
			      name, id, put);
	if (!seen)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(look->maps); i++)
		if (look->maps[i].id && (look->maps[i].hooks >> hook & 1) &&
		    !bc_program_uses(&program, look->maps[i].id))
			bc_look_found(look,
				      "%s: the program does not use the map that is pinned as %s; run: bindctl load",
				      name, look->maps[i].pin);
}

static int check_hook(struct bc_look *look, enum bc_hook hook, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *path = NULL;
	struct bc_link *link = &look->status->links[hook];
	struct bc_error error;
	int r = bc_link_read(look->instance->pins, hook, link, &error);

	if (r == -EBADMSG) {
		bc_look_found(look, "%s", error.text);
		return 0;
	}
	if (r) {
		*reterr = error;
		return r;
	}
	if (!link->pinned) {
		if (bc_hook_is_needed(hook, look->status->features))
			bc_look_found(look, "%s: not attached; run: bindctl load", bc_hook_name(hook));
		return 0;
	}
	path = link->cgroup_id ? bc_cgroup_path(look->root_fd, link->cgroup_id) : NULL;
	if (!path) {
		check_dead(look, hook);
		return 0;
	}
	r = bc_open_cgroup(path, &fd, reterr);
	if (r)
		return r;
	if (!look->status->cgroup)
		look->status->cgroup = TAKE_PTR(path);
	check_program(look, hook);
	return bc_look_around(look, hook, fd, reterr);
}

static void check_gate(struct bc_look *look, const struct bc_cells *image)
{
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	struct bc_gate needs;

	/* One that is missing has been found already. */
	if (bc_force_open(look->instance->pins, &force, NULL))
		return;
	bc_gate_needs(image, &needs);
	if (bc_gate_lacks(&force, &needs))
		bc_look_found(
			look,
			"the programs take no notice of ports that the policy speaks of (the pin gate says that they "
			"need not); run: bindctl load");
}

static int read_image(struct bc_look *look, struct bc_error *reterr)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_about *about;
	struct bc_error error;
	int r = bc_instance_image(look->instance, &image, &error);

	if (r == -ENOENT) {
		bc_look_found(look, "no policy is in force; run: bindctl load");
		return 0;
	}
	if (r == -EBADMSG) {
		/* Of the pin itself that was found already. */
		if (look->maps[POLICY].id)
			bc_look_found(look, "%s", error.text);
		return 0;
	}
	if (r) {
		*reterr = error;
		return r;
	}
	r = bc_decompile(&image, &look->status->policy, &error);
	if (!r)
		r = bc_image_verify(&image, &look->status->policy, &error);
	if (r == -ENOMEM) {
		*reterr = error;
		return r;
	}
	if (r) {
		bc_look_found(look, "%s", error.text);
		return 0;
	}
	about = &image.cells[1].about;
	look->status->features = image.cells[0].header.features;
	look->status->generation = image.cells[0].header.generation;
	look->status->digest = about->digest;
	look->status->rules = about->nrules;
	look->status->bytes = image.n * sizeof(*image.cells);
	check_gate(look, &image);
	return 0;
}

/* Rules of the host would hold elsewhere, and not here. */
static void check_state(struct bc_look *look)
{
	_cleanup_close_ int fd = -1;

	/* One that is missing has been found already. */
	if (!bc_pin_open_map(look->instance->pins, BC_PIN_STATE, BPF_MAP_TYPE_ARRAY, &fd, NULL, NULL) &&
	    !bc_state_is_right(fd))
		bc_look_found(look,
			      "the programs take another network namespace for the initial one; run: bindctl load");
}

/* What does not hang on a hook. */
static void check_rest(struct bc_look *look)
{
	const char *pins = look->instance->pins;
	size_t strangers = bc_pins_strangers(pins);
	struct bc_error error;

	if (bc_check_guarded_inside(pins, &error))
		bc_look_found(look, "%s", error.text);
	if (strangers)
		bc_look_found(look, "%s holds %zu thing%s that bindctl did not put there; move %s elsewhere", pins,
			      strangers, strangers == 1 ? "" : "s", strangers == 1 ? "it" : "them");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		bc_look_found(look,
			      "the kernel's BTF is not there (/sys/kernel/btf/vmlinux): what is attached runs on, but "
			      "cannot be loaded again");
	if (bc_events_count_lost(pins, &look->status->lost, &error))
		bc_look_found(look, "%s", error.text);
	else if (look->status->lost)
		bc_look_found(look,
			      "%" PRIu64
			      " event%s lost: bindctl monitor or learn did not read them fast enough; to count anew, "
			      "run: bindctl load",
			      look->status->lost, look->status->lost == 1 ? " was" : "s were");
}

/* The pinned maps that commands and programs, or one program and the next, must both be using: look->maps. */
static void find_maps(struct bc_look *look)
{
	static const struct {
		const char *pin;
		uint32_t type;
		uint32_t hooks;
	} shared[] = {
		[POLICY] = { BC_PIN_POLICY, BPF_MAP_TYPE_ARRAY_OF_MAPS, BINDING },
		{ BC_PIN_GATE, BPF_MAP_TYPE_ARRAY, BINDING },
		{ BC_PIN_RINGS, BPF_MAP_TYPE_ARRAY_OF_MAPS, BINDING },
		{ BC_PIN_NOTES, BPF_MAP_TYPE_SK_STORAGE, ~0u },
		{ BC_PIN_STATE, BPF_MAP_TYPE_ARRAY, ~0u },
		{ BC_PIN_SEEN, BPF_MAP_TYPE_ARRAY, BINDING },
		{ BC_PIN_READERS, BPF_MAP_TYPE_ARRAY, BINDING },
		{ BC_PIN_REFUSALS, BPF_MAP_TYPE_ARRAY, BINDING },
		{ BC_PIN_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, BINDING },
	};

	_Static_assert(ARRAY_SIZE(shared) == ARRAY_SIZE(look->maps), "a place for each");
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		_cleanup_close_ int fd = -1;
		struct bc_error error;

		look->maps[i].pin = shared[i].pin;
		look->maps[i].hooks = shared[i].hooks;
		if (bc_pin_open_map(look->instance->pins, shared[i].pin, shared[i].type, &fd, &look->maps[i].id,
				    &error))
			bc_look_found(look, "%s", error.text);
	}
}

static int check_loaded(struct bc_look *look, struct bc_error *reterr)
{
	_cleanup_free_ char *root = NULL;
	_cleanup_close_ int root_fd = -1;
	int r = bc_pins_read(look->instance->pins, &look->mark, reterr);

	if (!r)
		r = bc_instance_root(look->instance, &root, &root_fd, reterr);
	if (r)
		return r;
	look->root = root;
	look->root_fd = root_fd;
	find_maps(look);
	/* First what the policy needs. */
	r = read_image(look, reterr);
	for (enum bc_hook hook = 0; !r && hook < BC_HOOKS; hook++)
		r = check_hook(look, hook, reterr);
	check_state(look);
	look->status->enforced = look->good;
	check_rest(look);
	return r;
}

int bc_instance_status(const struct bc_instance *instance, struct bc_status *ret_status, struct bc_report *findings,
		       struct bc_error *reterr)
{
	_cleanup_(bc_status_done) struct bc_status status = {};
	struct bc_look look = { .instance = instance, .status = &status, .findings = findings, .good = true };
	struct bc_error error;
	int r = bc_pins_check(instance->pins, NULL, reterr);

	if (r < 0)
		return r;
	status.loaded = r != BC_PINS_ABSENT;
	if (r == BC_PINS_OURS) {
		r = check_loaded(&look, reterr);
		if (r)
			return r;
	} else if (r == BC_PINS_OLDER) {
		bc_pins_require(instance->pins, &error);
		bc_look_found(&look, "%s", error.text);
	} else {
		bc_look_found(&look, "not loaded: no pins in %s; run: bindctl load", instance->pins);
	}
	*ret_status = status;
	status = (struct bc_status){};
	return 0;
}
