// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "host/lock.h"
#include "host/mounts.h"
#include "kernel/current.h"
#include "kernel/instance.h"
#include "kernel/probe.h"
#include "kernel/programs.h"
#include "kernel/readers.h"
#include "pure/gate.h"

/* A lock on a directory that its holder then removed is worth nothing: make the directory again and queue again. */
#define LOCK_TRIES 100

int bc_instance_lock(const struct bc_instance *instance, int *ret_fd, struct bc_error *ret_note,
		     struct bc_error *reterr)
{
	int r = bc_probe_capabilities(reterr);
	bool mounted;

	*ret_note = (struct bc_error){};
	if (!r)
		r = bc_require_bpffs(instance->pins, true, &mounted, reterr);
	if (!r && mounted)
		bc_fail(ret_note, 0, "mounted a BPF file system at %s", BC_BPFFS);
	if (!r)
		r = -ESTALE;
	for (int tries = 0; r == -ESTALE && tries < LOCK_TRIES; tries++) {
		r = bc_pins_make_directory(instance->pins, reterr);
		if (!r)
			r = bc_lock_directory(instance->pins, &instance->patience, ret_fd, reterr);
		/* It may vanish between the two steps, too. */
		if (r == -ENOENT)
			r = -ESTALE;
	}
	return r;
}

bool bc_instance_takes_admin(const struct bc_instance *instance, bool changes)
{
	bool mounted;

	if (bc_require_bpffs(instance->pins, false, &mounted, NULL) == -ENOENT)
		return changes;
	return bc_current_is_unpinned(instance->pins);
}

void bc_staged_done(struct bc_staged *staged)
{
	bc_force_done(&staged->force);
	bc_closep(&staged->image_fd);
	*staged = BC_STAGED_NONE;
}

int bc_instance_root(const struct bc_instance *instance, char **ret_path, int *ret_fd, struct bc_error *reterr)
{
	_cleanup_free_ char *root = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (instance->cgroup && !bc_open_cgroup(instance->cgroup, &fd, NULL))
		return bc_cgroup_top(fd, ret_path, ret_fd, reterr);
	r = bc_find_cgroup2(&root, reterr);
	if (!r)
		r = bc_open_cgroup(root, &fd, reterr);
	if (r)
		return r;
	*ret_path = TAKE_PTR(root);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Opens the cgroup to attach to: the one asked for, else the one attached to, else the root. */
static int open_target(const struct bc_instance *instance, int *ret_fd, char **ret_path, struct bc_error *reterr)
{
	_cleanup_free_ char *root = NULL;
	_cleanup_close_ int root_fd = -1;
	struct bc_link link = {};
	int r;

	if (instance->cgroup) {
		*ret_path = strdup(instance->cgroup);
		return *ret_path ? bc_open_cgroup(instance->cgroup, ret_fd, reterr) :
				   bc_fail(reterr, -ENOMEM, "out of memory");
	}
	r = bc_instance_root(instance, &root, &root_fd, reterr);
	for (enum bc_hook hook = 0; !r && !link.pinned && hook < BC_HOOKS; hook++)
		r = bc_link_read(instance->pins, hook, &link, reterr);
	if (r)
		return r;
	if (link.pinned) {
		_cleanup_free_ char *path = link.cgroup_id ? bc_cgroup_path(root_fd, link.cgroup_id) : NULL;

		/* A policy made for one subtree must not become everyone's. */
		if (!path)
			return bc_fail(reterr, -ESTALE,
				       "the cgroup that %s is attached to was removed; give another --cgroup, or run: "
				       "bindctl unload",
				       instance->pins);
		r = bc_open_cgroup(path, ret_fd, reterr);
		*ret_path = TAKE_PTR(path);
		return r;
	}
	*ret_fd = TAKE_FD(root_fd);
	*ret_path = TAKE_PTR(root);
	return 0;
}

/* Whether every hook that the features need has a live link, at that cgroup, and no other a dead one. */
static bool is_attached(const struct bc_instance *instance, int cgroup_fd, uint32_t features)
{
	uint64_t id;

	if (bc_cgroup_id(cgroup_fd, &id))
		return false;
	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++) {
		struct bc_link link;

		if (bc_link_read(instance->pins, hook, &link, NULL))
			return false;
		if ((link.pinned || bc_hook_is_needed(hook, features)) && link.cgroup_id != id)
			return false;
	}
	return true;
}

/* Whether the programs that are there are enough for an image with those features. */
static bool is_served(const struct bc_instance *instance, int cgroup_fd, uint32_t features)
{
	struct bc_schema schema = {};

	return is_attached(instance, cgroup_fd, features) && !bc_pins_read(instance->pins, &schema, NULL) &&
	       schema.features && !(features & ~schema.features);
}

/* Loads this build's programs, has them run, and opens where images are put into force. */
static int attach(const struct bc_instance *instance, int cgroup_fd, const char *cgroup, uint32_t features,
		  struct bc_force *ret_force, struct bc_error *reterr)
{
	_cleanup_(bc_programs_freep) struct bc_programs *programs = NULL;
	struct bc_schema schema = {};
	uint64_t id;
	int r = bc_pins_read(instance->pins, &schema, reterr);

	/* Until all is done, programs and maps may not fit together: nobody takes them for something that serves. */
	schema.features = 0;
	if (!r)
		r = bc_pins_set(instance->pins, &schema, reterr);
	if (!r)
		r = bc_programs_load(instance->pins, BC_SCHEMA, &programs, reterr);
	if (!r)
		r = bc_programs_pin(programs, instance->pins, reterr);
	if (!r)
		r = bc_attach(instance->pins, programs, cgroup_fd, cgroup, features, reterr);
	if (r)
		return r;
	r = bc_cgroup_id(cgroup_fd, &id);
	if (r)
		return bc_fail_errno(reterr, r, "cannot identify the cgroup %s", cgroup);
	schema.features = BC_F_KNOWN;
	schema.cgroup = id;
	bc_programs_name(programs, schema.programs);
	r = bc_pins_set(instance->pins, &schema, reterr);
	return r ? r : bc_force_open(instance->pins, ret_force, reterr);
}

static int open_attached(const struct bc_instance *instance, bool fresh, bool upgrade, uint32_t features,
			 struct bc_force *ret_force, struct bc_error *reterr)
{
	_cleanup_close_ int cgroup_fd = -1;
	_cleanup_free_ char *cgroup = NULL;
	int r = open_target(instance, &cgroup_fd, &cgroup, reterr);

	if (!r && fresh)
		r = bc_pins_mark(instance->pins, reterr);
	if (r)
		return r;
	if (!upgrade && is_served(instance, cgroup_fd, features)) {
		r = bc_force_open(instance->pins, ret_force, reterr);
		if (r != -ENOENT)
			return r;
	}
	return attach(instance, cgroup_fd, cgroup, features, ret_force, reterr);
}

/* The id of the cgroup that paths begin at. */
static int root_id(const struct bc_instance *instance, uint64_t *ret_id, struct bc_error *reterr)
{
	_cleanup_free_ char *root = NULL;
	_cleanup_close_ int fd = -1;
	int r = bc_instance_root(instance, &root, &fd, reterr);

	if (r)
		return r;
	r = bc_cgroup_id(fd, ret_id);
	return r ? bc_fail_errno(reterr, r, "cannot identify the cgroup %s", root) : 0;
}

/* The schema from which on an image's header has been as it is. */
#define HEADER_SINCE 3

/*
 * The old programs read the old maps until each hook gets its new one, which reads the new maps, whose policy is in
 * force by then. That the pins are of this schema is said last: whoever is interrupted begins anew, in front of links
 * that may be of either kind.
 */
static int migrate(const struct bc_instance *instance, uint32_t schema, const struct bc_cells *cells, int cgroup_fd,
		   const char *cgroup, struct bc_error *reterr)
{
	_cleanup_(bc_programs_freep) struct bc_programs *programs = NULL;
	_cleanup_close_ int image_fd = -1, old_fd = -1;
	struct bc_imprint imprint = {};
	struct bc_force force;
	struct bc_gate needs;
	uint64_t root = 0;
	int r = bc_programs_load(instance->pins, schema, &programs, reterr);

	if (r)
		return r;
	force = bc_programs_force(programs);
	bc_gate_needs(cells, &needs);
	r = root_id(instance, &root, reterr);
	/* The generation goes on where it stood, if that can be told. */
	if (!r && (schema < HEADER_SINCE || bc_open_policy(instance->pins, &old_fd, NULL) ||
		   bc_imprint_make(instance->pins, cells, old_fd, root, true, &imprint, NULL)))
		r = bc_imprint_make(instance->pins, cells, force.policy_fd, root, true, &imprint, reterr);
	if (!r)
		r = bc_image_create(cells, &imprint, &image_fd, reterr);
	if (!r)
		r = bc_current_announce(instance->pins, force.policy_fd, image_fd, reterr);
	needs.tai_offset = imprint.tai_offset;
	/* With the tallies of the last image, if this was interrupted here; those of another schema cannot be read. */
	if (!r)
		r = bc_image_seal(instance->pins, force.policy_fd, cells, image_fd, reterr);
	if (!r)
		r = bc_image_publish(&force, image_fd, &needs, reterr);
	if (!r)
		r = bc_attach(instance->pins, programs, cgroup_fd, cgroup, cells->cells[0].header.features, reterr);
	if (!r)
		r = bc_programs_pin(programs, instance->pins, reterr);
	if (!r)
		bc_current_settle(instance->pins);
	return r ? r : bc_pins_mark(instance->pins, reterr);
}

int bc_instance_migrate(const struct bc_instance *instance, const struct bc_cells *cells, struct bc_error *reterr)
{
	_cleanup_close_ int cgroup_fd = -1;
	_cleanup_free_ char *cgroup = NULL;
	uint32_t schema;
	int r = bc_pins_check(instance->pins, &schema, reterr);

	if (r != BC_PINS_OLDER)
		return r < 0 ? r : 0;
	r = open_target(instance, &cgroup_fd, &cgroup, reterr);
	return r ? r : migrate(instance, schema, cells, cgroup_fd, cgroup, reterr);
}

bool bc_instance_is_older(const struct bc_instance *instance)
{
	return bc_pins_check(instance->pins, NULL, NULL) == BC_PINS_OLDER;
}

int bc_instance_stage(const struct bc_instance *instance, const struct bc_cells *cells, bool upgrade,
		      struct bc_staged *ret_staged, struct bc_error *reterr)
{
	_cleanup_(bc_staged_done) struct bc_staged staged = BC_STAGED_NONE;
	uint32_t features = cells->cells[0].header.features;
	struct bc_imprint imprint;
	uint64_t root = 0;
	int r = bc_pins_check(instance->pins, NULL, reterr);

	if (r == BC_PINS_OLDER)
		return bc_pins_require(instance->pins, reterr);
	if (r < 0)
		return r;
	staged.fresh = r == BC_PINS_ABSENT;
	r = open_attached(instance, staged.fresh, upgrade, features, &staged.force, reterr);
	if (!r)
		r = root_id(instance, &root, reterr);
	if (!r)
		r = bc_imprint_make(instance->pins, cells, staged.force.policy_fd, root, upgrade, &imprint, reterr);
	if (!r)
		r = bc_image_create(cells, &imprint, &staged.image_fd, reterr);
	if (!r)
		r = bc_current_announce(instance->pins, staged.force.policy_fd, staged.image_fd, reterr);
	if (r) {
		bc_instance_undo(instance, &staged);
		return r;
	}
	staged.announced = true;
	staged.cells = cells;
	bc_gate_needs(cells, &staged.needs);
	staged.needs.tai_offset = imprint.tai_offset;
	bc_readers_sweep(instance->pins);
	*ret_staged = staged;
	staged = BC_STAGED_NONE;
	return 0;
}

void bc_instance_undo(const struct bc_instance *instance, const struct bc_staged *staged)
{
	bool was_loaded;

	if (staged->fresh)
		bc_instance_unload(instance, &was_loaded, NULL);
	else if (staged->announced)
		bc_current_forget(instance->pins);
}

int bc_instance_commit(const struct bc_instance *instance, const struct bc_staged *staged, struct bc_error *reterr)
{
	int r = bc_image_seal(instance->pins, staged->force.policy_fd, staged->cells, staged->image_fd, reterr);

	if (!r)
		r = bc_image_publish(&staged->force, staged->image_fd, &staged->needs, reterr);
	if (!r)
		bc_current_settle(instance->pins);
	return r;
}

int bc_instance_unload(const struct bc_instance *instance, bool *ret_was_loaded, struct bc_error *reterr)
{
	_cleanup_close_ int policy_fd = -1;
	int r = bc_pins_check(instance->pins, NULL, reterr);

	if (r < 0)
		return r;
	*ret_was_loaded = r != BC_PINS_ABSENT;
	if (*ret_was_loaded) {
		r = bc_open_policy(instance->pins, &policy_fd, reterr);
		/* First the policy, in one step for both families; what follows changes no decision. */
		if (!r)
			r = bc_image_withdraw(policy_fd, reterr);
		if (r == -ENOENT)
			r = 0;
		for (enum bc_hook hook = 0; !r && hook < BC_HOOKS; hook++)
			r = bc_detach(instance->pins, hook, reterr);
		if (r)
			return r;
	}
	r = bc_pins_remove_maps(instance->pins, reterr);
	if (r)
		return r;
	if (!rmdir(instance->pins) || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY)
		return bc_fail(reterr, -ENOTEMPTY,
			       "%s stays, for it holds something that bindctl did not put there; all else is unloaded",
			       instance->pins);
	return bc_fail_errno(reterr, -errno, "cannot remove %s", instance->pins);
}

int bc_instance_image(const struct bc_instance *instance, struct bc_cells *ret_image, struct bc_error *reterr)
{
	_cleanup_close_ int policy_fd = -1;
	int r = bc_pins_require(instance->pins, reterr);

	if (!r)
		r = bc_open_policy(instance->pins, &policy_fd, reterr);
	return r ? r : bc_image_read(instance->pins, policy_fd, ret_image, reterr);
}
