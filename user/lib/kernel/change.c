// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/lock.h"
#include "host/sweep.h"
#include "kernel/change.h"
#include "kernel/probe.h"
#include "pure/decompile.h"
#include "pure/edit.h"

void bc_change_done(struct bc_change *change)
{
	bc_report_done(&change->report);
	bc_text_done(&change->after);
	bc_file_done(&change->before);
	bc_build_done(&change->build);
	bc_files_done(&change->files);
	free(change->path);
	bc_closep(&change->pin_lock);
	bc_closep(&change->config_lock);
	*change = BC_CHANGE_NONE;
}

/*
 * The pins first, which are root's alone: who has them is the only writer of this instance. What the files' directory is
 * locked for is another instance with the same files; anybody can open that directory, and must not hold us up by it.
 */
static int lock_both(struct bc_change *change, enum bc_change_kind kind, struct bc_error *reterr)
{
	const struct bc_store *store = change->site.store;
	const char *dir = change->options.runtime ? store->runtime : store->persistent;
	struct bc_error mounted = {}, locked = {};
	int r = 0;

	if (kind == BC_CHANGE_ADD)
		r = bc_store_prepare(store, change->options.runtime, reterr);
	if (!r)
		r = bc_instance_lock(change->site.instance, &change->pin_lock, &mounted, reterr);
	if (!r && kind != BC_CHANGE_NOTHING) {
		r = bc_lock_open_directory(dir, &change->site.instance->patience, &change->config_lock, &locked,
					   reterr);
		if (r == -ENOENT && kind == BC_CHANGE_REMOVE)
			r = 0;
	}
	if (r)
		return r;
	if (*mounted.text && *locked.text)
		bc_fail(&change->note, 0, "%s; %s", mounted.text, locked.text);
	else
		change->note = *mounted.text ? mounted : locked;
	change->note.severity = BC_WARNING;
	bc_store_sweep(store, change->config_lock >= 0 ? dir : NULL);
	return 0;
}

/*
 * A file of the same name in a stronger directory would hide what we write; and one in a weaker would cease to count
 * once ours is there. Of the files of one name only that which counts is among those read.
 */
static int check_not_masked(const struct bc_change *change, enum bc_change_kind kind, struct bc_error *reterr)
{
	const char *strongest = change->site.store->persistent, *name = strrchr(change->path, '/') + 1;

	for (size_t i = 0; i < change->files.n; i++) {
		const char *path = change->files.items[i].path, *slash = strrchr(path, '/');

		if (strcmp(slash + 1, name) != 0 || !strcmp(path, change->path))
			continue;
		if (change->options.runtime && !strncmp(path, strongest, slash - path) && !strongest[slash - path])
			return bc_fail(reterr, -EEXIST, "%s hides %s: nothing written there would count", path,
				       change->path);
		if (kind == BC_CHANGE_ADD)
			return bc_fail(reterr, -EEXIST,
				       "%s would no longer count beside %s, which has its name and is stronger; rename "
				       "it, or copy it there",
				       path, change->path);
	}
	return 0;
}

static int build(const struct bc_change *change, enum bc_severity conflicts, struct bc_build *ret,
		 struct bc_report *report, struct bc_error *reterr)
{
	return bc_build_policy(&change->files, change->site.names, conflicts, change->options.unknown, ret, report,
			       reterr);
}

/* Pins of an older build first become ours, with the policy as it stands: what is to change it comes after. */
static int bring_up_to_date(struct bc_change *change, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build old = {};
	int r;

	if (!bc_instance_is_older(change->site.instance))
		return 0;
	r = build(change, BC_WARNING, &old, &report, reterr);
	if (!r)
		r = bc_instance_migrate(change->site.instance, &old.cells, reterr);
	change->migrated = !r;
	if (r) {
		change->report = report;
		report = (struct bc_report){};
	}
	return r;
}

int bc_change_begin(struct bc_change *change, const struct bc_site *site, const struct bc_change_options *options,
		    enum bc_change_kind kind, struct bc_error *reterr)
{
	struct bc_store store = *site->store;
	int r;

	*change = BC_CHANGE_NONE;
	change->site = *site;
	change->options = *options;
	/* Privilege is asked for before anything is created on disk. */
	if (!options->dry_run) {
		r = bc_probe_capabilities(reterr);
		if (!r)
			r = lock_both(change, kind, reterr);
		if (r)
			return r;
	}
	change->path = bc_store_path(&store, options->runtime);
	if (!change->path)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	/* A dry run of the first rule: the directory is not there yet. */
	if (kind == BC_CHANGE_ADD && options->dry_run)
		store.required = false;
	r = bc_store_read(&store, &change->files, reterr);
	if (!r)
		r = check_not_masked(change, kind, reterr);
	if (!r && !options->dry_run)
		r = bring_up_to_date(change, reterr);
	return r;
}

/* What the edited file is to be: as `text` says, but for what has expired and what counts from the last edit. */
static int edit_file(struct bc_change *change, const struct bc_text *text, struct bc_error *reterr)
{
	const struct bc_file *file = bc_files_find(&change->files, change->path);
	int64_t written = file ? file->written : bc_now();
	struct bc_text *after = &change->after;
	struct bc_file *before = &change->before;
	int r;

	*before = (struct bc_file){ .path = strdup(change->path), .written = written };
	if (file) {
		before->text = malloc(file->len + 1);
		before->len = file->len;
	}
	if (before->text)
		memcpy(before->text, file->text, file->len + 1);
	if (!before->path || (file && !before->text))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	r = bc_edit_tidy(text->data, text->len, written, bc_now(), after, &change->pruned);
	/* A file with a fault stays as it is: compiling will say what the fault is. */
	if (r == -EINVAL) {
		bc_text_add(after, text->data, text->len);
		r = 0;
	}
	if (!r && (after->failed || bc_files_set(&change->files, change->path, after->data, after->len, written)))
		r = -ENOMEM;
	if (r)
		return bc_fail_errno(reterr, r, "cannot edit %s", change->path);
	return 0;
}

int bc_change_build(struct bc_change *change, const struct bc_text *text, struct bc_error *reterr)
{
	int r = text ? edit_file(change, text, reterr) : 0;

	return r ? r :
		   build(change, change->options.strict ? BC_ERROR : BC_WARNING, &change->build, &change->report,
			 reterr);
}

/* The file on disk as it was before, should it or the last step fail. */
int bc_change_apply(struct bc_change *change, struct bc_error *reterr)
{
	_cleanup_(bc_staged_done) struct bc_staged staged = BC_STAGED_NONE;
	const struct bc_instance *instance = change->site.instance;
	bool edited = change->before.path;
	int r = bc_instance_stage(instance, &change->build.cells, change->options.upgrade, &staged, reterr);

	if (r)
		return r;
	if (edited)
		r = bc_store_replace(change->path, change->after.data, change->after.len, reterr);
	if (!r)
		r = bc_instance_commit(instance, &staged, reterr);
	if (r && edited)
		bc_store_put_back(&change->before);
	if (r)
		bc_instance_undo(instance, &staged);
	return r;
}

void bc_difference_done(struct bc_difference *difference)
{
	bc_diff_done(&difference->diff);
	bc_policy_done(&difference->current);
}

/* What the kernel holds, or nothing. */
static int read_current(const struct bc_instance *instance, struct bc_policy *ret_policy, struct bc_error *reterr)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	int r = bc_instance_image(instance, &image, reterr);

	if (r == -ENOENT)
		return 0;
	return r ? r : bc_decompile(&image, ret_policy, reterr);
}

int bc_change_difference(const struct bc_change *change, struct bc_difference *ret, struct bc_error *reterr)
{
	_cleanup_(bc_difference_done) struct bc_difference difference = {};
	int r = read_current(change->site.instance, &difference.current, reterr);

	if (!r)
		r = bc_diff(&difference.current, &change->build.policy, &difference.diff);
	if (r == -ENOMEM)
		bc_fail(reterr, r, "out of memory");
	if (r)
		return r;
	*ret = difference;
	difference = (struct bc_difference){};
	return 0;
}

/* Whether what was built is in force already. An image that cannot be read is something else. */
static int is_in_force(const struct bc_change *change, const struct bc_cells *image, bool *ret)
{
	_cleanup_(bc_policy_done) struct bc_policy current = {};
	bool differ = true;
	int r = bc_decompile(image, &current, NULL);

	if (!r)
		r = bc_differ(&current, &change->build.policy, &differ);
	*ret = !differ;
	return r == -ENOMEM ? r : 0;
}

int bc_change_mend(struct bc_change *change, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	bool same = false;
	int r;

	if (change->options.dry_run)
		return 0;
	r = bc_instance_image(change->site.instance, &image, reterr);
	/* What is not loaded, or not in force, holds nothing. */
	if (r)
		return r == -ENOENT ? 0 : r;
	r = build(change, BC_WARNING, &change->build, &report, reterr);
	if (!r) {
		r = is_in_force(change, &image, &same);
		if (r)
			return bc_fail_errno(reterr, r, "cannot compare the policies");
	}
	if (same)
		return 0;
	change->report = report;
	report = (struct bc_report){};
	if (!r)
		r = bc_change_apply(change, reterr);
	return r ? r : 1;
}
