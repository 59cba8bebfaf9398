// SPDX-License-Identifier: GPL-2.0-or-later
/* Other programs at our hooks. All that are attached at a cgroup or above run, the upper ones last. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/mounts.h"
#include "kernel/look.h"

static void warn(struct bc_look *look, const struct bc_neighbour *it)
{
	const char *hook = bc_hook_name(it->hook), *name = *it->name ? it->name : "of unknown name";
	struct bc_error error;

	if (it->turn == BC_RUNS_AFTER)
		bc_fail(&error, 0,
			"%s: program %u (%s) runs after ours: it may refuse what is granted, grant what is not, and "
			"change "
			"the errno",
			hook, it->id, name);
	else if (it->turn == BC_RUNS_BEFORE)
		bc_fail(&error, 0, "%s: program %u (%s) runs before ours: it may refuse or grant by itself", hook,
			it->id, name);
	else if (it->turn == BC_RUNS_BELOW)
		bc_fail(&error, 0,
			"%s: program %u (%s) runs before ours for %s, which is below: it may refuse or grant by itself",
			hook, it->id, name, it->cgroup);
	else
		bc_fail(&error, 0,
			"%s: program %u (%s) of %s does not run where ours does: it was attached with leave to be "
			"overridden",
			hook, it->id, name, it->cgroup);
	error.severity = BC_WARNING;
	bc_report_add(look->findings, &error);
}

static int add(struct bc_look *look, enum bc_hook hook, enum bc_turn turn, uint32_t id, const char *cgroup)
{
	struct bc_status *status = look->status;
	_cleanup_free_ char *path = cgroup ? strdup(cgroup) : NULL;
	struct bc_neighbour *neighbour;
	struct bc_program program;

	if ((cgroup && !path) || bc_grow(&status->neighbours, &status->room, status->nneighbours + 1))
		return -ENOMEM;
	neighbour = &status->neighbours[status->nneighbours++];
	*neighbour = (struct bc_neighbour){ .hook = hook, .turn = turn, .id = id, .cgroup = TAKE_PTR(path) };
	if (!bc_program_read(id, &program))
		memcpy(neighbour->name, program.name, sizeof(neighbour->name));
	warn(look, neighbour);
	return 0;
}

static bool is_among(const struct bc_attached *all, uint32_t id)
{
	for (uint32_t i = 0; i < all->n; i++)
		if (all->ids[i] == id)
			return true;
	return false;
}

/* The programs of the cgroups above that ours keeps from running. */
static int find_silenced(struct bc_look *look, enum bc_hook hook, const struct bc_attached *effective,
			 struct bc_error *reterr)
{
	_cleanup_free_ char *path = strdup(look->status->cgroup);
	int r = 0;

	if (!path)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	while (!r && strlen(path) > strlen(look->root)) {
		_cleanup_close_ int fd = -1;
		struct bc_attached attached;

		*strrchr(path, '/') = '\0';
		r = bc_open_cgroup(path, &fd, reterr);
		if (!r)
			r = bc_query(fd, hook, false, &attached, reterr);
		for (uint32_t i = 0; !r && attached.overridable && i < attached.n; i++)
			if (!is_among(effective, attached.ids[i]) &&
			    add(look, hook, BC_SILENCED, attached.ids[i], path))
				r = bc_fail(reterr, -ENOMEM, "out of memory");
	}
	return r;
}

/* Those attached to one cgroup below ours. That it is gone, or takes no programs, is no fault. */
static int look_at_cgroup(struct bc_look *look, int fd, const char *path)
{
	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++) {
		struct bc_attached attached;

		if (!look->status->links[hook].cgroup_id || bc_query(fd, hook, false, &attached, NULL))
			continue;
		for (uint32_t i = 0; i < attached.n; i++)
			if (add(look, hook, BC_RUNS_BELOW, attached.ids[i], path))
				return -ENOMEM;
	}
	return 0;
}

/* That it is gone by now is no fault; that it is too deep for the descriptors that we may have could hide something. */
static void note_unseen(struct bc_look *look, const char *path)
{
	if (errno == EMFILE || errno == ENFILE)
		bc_look_found(look, "descriptors (ulimit -n) do not suffice to look for programs below %s", path);
}

/* NOLINTNEXTLINE(misc-no-recursion): each level holds descriptors, so there is an end to it */
static int search_below(struct bc_look *look, int fd, const char *path)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *open = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;

	if (!open) {
		note_unseen(look, path);
		bc_closep(&again);
	}
	while (open && !r && (entry = readdir(open))) {
		_cleanup_free_ char *inner = NULL;
		_cleanup_close_ int below = -1;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&inner, "%s/%s", path, entry->d_name) < 0) {
			inner = NULL;
			r = -ENOMEM;
			break;
		}
		below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0) {
			note_unseen(look, inner);
			continue;
		}
		r = look_at_cgroup(look, below, inner) ?: search_below(look, below, inner);
	}
	if (open)
		closedir(open);
	return r;
}

int bc_instance_look_below(const struct bc_instance *instance, struct bc_status *status, struct bc_report *findings,
			   struct bc_error *reterr)
{
	struct bc_look look = { .instance = instance, .status = status, .findings = findings };
	_cleanup_close_ int fd = -1;
	int r;

	if (!status->cgroup || bc_open_cgroup(status->cgroup, &fd, NULL))
		return 0;
	r = search_below(&look, fd, strcmp(status->cgroup, "/") ? status->cgroup : "");
	return r ? bc_fail(reterr, r, "out of memory") : 0;
}

int bc_look_around(struct bc_look *look, enum bc_hook hook, int cgroup_fd, struct bc_error *reterr)
{
	uint32_t ours = look->status->links[hook].prog_id;
	enum bc_turn turn = BC_RUNS_BEFORE;
	struct bc_attached effective;
	int r = bc_query(cgroup_fd, hook, true, &effective, reterr);

	for (uint32_t i = 0; !r && i < effective.n; i++) {
		if (effective.ids[i] == ours)
			turn = BC_RUNS_AFTER;
		else if (add(look, hook, turn, effective.ids[i], NULL))
			r = bc_fail(reterr, -ENOMEM, "out of memory");
	}
	if (r)
		return r;
	if (turn == BC_RUNS_BEFORE) {
		_cleanup_(bc_text_done) struct bc_text word = {};

		bc_text_add_word(&word, look->status->cgroup);
		bc_look_found(look,
			      "%s: the kernel does not run our program for %s; see: bpftool cgroup show %s effective",
			      bc_hook_name(hook), look->status->cgroup, word.failed ? "" : word.data);
	}
	return find_silenced(look, hook, &effective, reterr);
}
