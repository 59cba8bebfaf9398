// SPDX-License-Identifier: GPL-2.0-or-later
/* How an instance stands: what the kernel runs, not what we once asked of it. */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "host/mounts.h"
#include "kernel/instance.h"

void bc_status_done(struct bc_status *status)
{
	free(status->cgroup);
	*status = (struct bc_status){};
}

/* One look at an instance. */
struct check {
	const struct bc_instance *instance;
	struct bc_status *status;
	struct bc_report *findings;
	int root_fd; /* of cgroup2 */
	bool good;
};

#define find(check, ...)                                   \
	do {                                               \
		struct bc_error _error;                    \
		bc_fail(&_error, 0, __VA_ARGS__);          \
		bc_report_add((check)->findings, &_error); \
		(check)->good = false;                     \
	} while (0)

/* Whether our program is among those that the kernel runs for the cgroup, and who else is. */
static int check_effective(struct check *check, int cgroup_fd, enum bc_hook hook, struct bc_error *reterr)
{
	struct bc_status *status = check->status;
	struct bc_effective effective;
	bool found = false;
	int r = bc_effective_programs(cgroup_fd, hook, &effective, reterr);

	if (r)
		return r;
	for (uint32_t i = 0; i < effective.n; i++) {
		if (effective.ids[i] == status->links[hook].prog_id)
			found = true;
		else
			status->neighbours[hook]++;
	}
	if (!found)
		find(check, "%s: the kernel does not run our program for %s", bc_hook_name(hook), status->cgroup);
	return 0;
}

static int check_hook(struct check *check, enum bc_hook hook, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *path = NULL;
	struct bc_link *link = &check->status->links[hook];
	struct bc_error error;
	int r = bc_link_read(check->instance->pins, hook, link, &error);

	if (r == -EBADMSG) {
		bc_report_add(check->findings, &error);
		check->good = false;
		return 0;
	}
	if (r) {
		*reterr = error;
		return r;
	}
	if (!link->pinned) {
		if (bc_hook_is_needed(hook, check->status->features))
			find(check, "%s: not attached; run: bindctl load", bc_hook_name(hook));
		return 0;
	}
	path = link->cgroup_id ? bc_cgroup_path(check->root_fd, link->cgroup_id) : NULL;
	if (!path) {
		link->cgroup_id = 0;
		find(check, "%s: detached, or its cgroup was removed; run: bindctl load", bc_hook_name(hook));
		return 0;
	}
	r = bc_open_cgroup(path, &fd, reterr);
	if (r)
		return r;
	if (!check->status->cgroup)
		check->status->cgroup = TAKE_PTR(path);
	return check_effective(check, fd, hook, reterr);
}

static int read_image(struct check *check, struct bc_error *reterr)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	const struct bc_about *about;
	int r = bc_instance_image(check->instance, &image, reterr);

	if (r == -ENOENT) {
		find(check, "no policy is in force; run: bindctl load");
		return 0;
	}
	if (r)
		return r;
	if (image.n < BC_INDEX) {
		find(check, "the policy in force is broken; run: bindctl load");
		return 0;
	}
	about = &image.cells[1].about;
	check->status->features = image.cells[0].header.features;
	check->status->generation = image.cells[0].header.generation;
	check->status->digest = about->digest;
	check->status->rules = about->nrules;
	check->status->bytes = image.n * sizeof(*image.cells);
	return 0;
}

int bc_instance_status(const struct bc_instance *instance, struct bc_status *ret_status, struct bc_report *findings,
		       struct bc_error *reterr)
{
	_cleanup_(bc_status_done) struct bc_status status = {};
	_cleanup_free_ char *root = NULL;
	_cleanup_close_ int root_fd = -1;
	struct check check = { instance, &status, findings, -1, true };
	int r = bc_pins_check(instance->pins, reterr);

	if (r < 0)
		return r;
	status.loaded = r == BC_PINS_OURS;
	if (status.loaded) {
		r = bc_find_cgroup2(&root, reterr);
		if (!r)
			r = bc_open_cgroup(root, &root_fd, reterr);
		check.root_fd = root_fd;
		/* First what the policy needs. */
		if (!r)
			r = read_image(&check, reterr);
		for (enum bc_hook hook = 0; !r && hook < BC_HOOKS; hook++)
			r = check_hook(&check, hook, reterr);
		if (r)
			return r;
	} else {
		find(&check, "not loaded: no pins in %s; run: bindctl load", instance->pins);
	}
	status.enforced = check.good;
	*ret_status = status;
	status = (struct bc_status){};
	return 0;
}
