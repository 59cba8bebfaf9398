// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/change.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "host/lock.h"
#include "host/sweep.h"
#include "kernel/probe.h"
#include "pure/decompile.h"
#include "pure/diff.h"
#include "pure/edit.h"

void take_change_option(struct change_options *options, int option)
{
	if (option == 'r')
		options->runtime = true;
	else if (option == 'n')
		options->dry_run = true;
	else if (option == 's')
		options->strict = true;
}

void change_done(struct change *change)
{
	bc_files_done(&change->files);
	free(change->path);
	bc_closep(&change->pin_lock);
	bc_closep(&change->config_lock);
	*change = CHANGE_NONE;
}

/* The configuration first, then the pins: the one order, so that two writers never wait for each other. */
static int lock_both(struct change *change, enum change_kind kind, struct bc_error *reterr)
{
	const struct bc_store *store = &change->app->store;
	const char *dir = change->options.runtime ? store->runtime : store->persistent;
	struct bc_error note;
	int r = 0;

	if (kind == CHANGE_ADD)
		r = bc_store_prepare(store, change->options.runtime, reterr);
	if (!r && kind != CHANGE_NOTHING) {
		r = bc_lock_directory(dir, &change->config_lock, reterr);
		if (r == -ENOENT && kind == CHANGE_REMOVE)
			r = 0;
	}
	if (r)
		return r;
	r = bc_instance_lock(&change->app->instance, &change->pin_lock, &note, reterr);
	if (!r && *note.text)
		say_error(&note);
	if (!r)
		bc_store_sweep(store, change->config_lock >= 0 ? dir : NULL);
	return r;
}

/* A file of the same name in a stronger directory would hide what we write. */
static int check_not_masked(const struct change *change, struct bc_error *reterr)
{
	const char *name = strrchr(change->path, '/') + 1;

	for (size_t i = 0; change->options.runtime && i < change->files.n; i++) {
		const char *path = change->files.items[i].path;

		if (!strcmp(strrchr(path, '/') + 1, name) && strcmp(path, change->path))
			return bc_fail(reterr, -EEXIST, "%s hides %s: nothing written there would count", path,
				       change->path);
	}
	return 0;
}

/* Pins of an older build first become ours, with the policy as it stands: what is to change it comes after. */
static int bring_up_to_date(const struct change *change, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	int r;

	if (!bc_instance_is_older(&change->app->instance))
		return 0;
	r = bc_build_policy(&change->files, &host_names, BC_WARNING, change->options.unknown, &build, &report, reterr);
	if (!r)
		r = bc_instance_migrate(&change->app->instance, &build.cells, reterr);
	if (r)
		say_report(&report);
	else
		say("brought the pins in %s from an older schema to %u", change->app->instance.pins, BC_SCHEMA);
	return r;
}

int change_begin(struct change *change, const struct app *app, const struct change_options *options,
		 enum change_kind kind, struct bc_error *reterr)
{
	struct bc_store store = app->store;
	int r;

	*change = CHANGE_NONE;
	change->app = app;
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
	if (kind == CHANGE_ADD && options->dry_run)
		store.required = false;
	r = bc_store_read(&store, &change->files, reterr);
	if (!r)
		r = check_not_masked(change, reterr);
	if (!r && !options->dry_run)
		r = bring_up_to_date(change, reterr);
	return r;
}

static void print_rule(char sign, const struct bc_policy *policy, uint32_t number)
{
	const struct bc_rule *rule = &policy->rules[number];
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_rule(&text, policy, rule);
	bc_text_addf(&text, "  # %s:%u", bc_policy_source_of(policy, rule), rule->line);
	if (text.failed)
		return;
	printf("%c ", sign);
	out_text(text.data);
	printf("\n");
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

static int print_difference(const struct change *change, const struct bc_policy *policy)
{
	_cleanup_(bc_policy_done) struct bc_policy current = {};
	_cleanup_(bc_diff_done) struct bc_diff diff = {};
	struct bc_error error;
	int r = read_current(&change->app->instance, &current, &error);

	if (!r)
		r = bc_diff(&current, policy, &diff);
	if (r == -ENOMEM)
		bc_fail(&error, r, "out of memory");
	if (r)
		return failed(&error);
	add_names(&current);
	for (size_t i = 0; i < diff.nremoved; i++)
		print_rule('-', &current, diff.removed[i]);
	for (size_t i = 0; i < diff.nadded; i++)
		print_rule('+', policy, diff.added[i]);
	return finish_output(EXIT_DONE);
}

/* The file on disk as it was before, should it or the last step fail. */
static int put_into_force(const struct change *change, const struct bc_build *build, const struct bc_text *text,
			  const struct bc_file *before, struct bc_error *reterr)
{
	_cleanup_(bc_staged_done) struct bc_staged staged = BC_STAGED_NONE;
	int r = bc_instance_stage(&change->app->instance, &build->cells, change->options.upgrade, &staged, reterr);

	if (r)
		return r;
	if (text)
		r = bc_store_replace(change->path, text->data, text->len, reterr);
	if (!r)
		r = bc_instance_commit(&change->app->instance, &staged, reterr);
	if (r && text)
		bc_store_put_back(before);
	if (r)
		bc_instance_undo(&change->app->instance, &staged);
	return r;
}

/* What the edited file is to be: as `text` says, but for what has expired and what counts from the last edit. */
static int edit_file(struct change *change, const struct bc_text *text, struct bc_file *ret_before,
		     struct bc_text *ret_after, size_t *ret_pruned, struct bc_error *reterr)
{
	const struct bc_file *file = bc_files_find(&change->files, change->path);
	int64_t written = file ? file->written : now();
	int r;

	*ret_before = (struct bc_file){ .path = strdup(change->path), .written = written };
	if (file) {
		ret_before->text = malloc(file->len + 1);
		ret_before->len = file->len;
	}
	if (ret_before->text)
		memcpy(ret_before->text, file->text, file->len + 1);
	if (!ret_before->path || (file && !ret_before->text))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	r = bc_edit_tidy(text->data, text->len, written, now(), ret_after, ret_pruned);
	/* A file with a fault stays as it is: compiling will say what the fault is. */
	if (r == -EINVAL) {
		bc_text_add(ret_after, text->data, text->len);
		r = 0;
	}
	if (!r &&
	    (ret_after->failed || bc_files_set(&change->files, change->path, ret_after->data, ret_after->len, written)))
		r = -ENOMEM;
	if (r)
		return bc_fail_errno(reterr, r, "cannot edit %s", change->path);
	return 0;
}

static void say_pruned(const struct change *change, size_t pruned)
{
	if (pruned)
		say("%s: %s %zu rule%s that had expired", change->path,
		    change->options.dry_run ? "would remove" : "removed", pruned, pruned == 1 ? "" : "s");
}

int change_finish(struct change *change, const struct bc_text *text)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	_cleanup_(bc_file_done) struct bc_file before = {};
	_cleanup_(bc_text_done) struct bc_text after = {};
	size_t pruned = 0;
	struct bc_error error;
	int r = text ? edit_file(change, text, &before, &after, &pruned, &error) : 0;

	if (!r)
		r = bc_build_policy(&change->files, &host_names, change->options.strict ? BC_ERROR : BC_WARNING,
				    change->options.unknown, &build, &report, &error);
	say_report(&report);
	if (!r && change->options.dry_run) {
		say_pruned(change, pruned);
		return print_difference(change, &build.policy);
	}
	if (!r)
		r = put_into_force(change, &build, text ? &after : NULL, &before, &error);
	if (!r) {
		say_pruned(change, pruned);
		return EXIT_DONE;
	}
	say_error(&error);
	say("nothing was changed");
	return EXIT_FAILED;
}

int change_mend(struct change *change, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	int r;

	if (change->options.dry_run)
		return 0;
	r = bc_instance_image(&change->app->instance, &image, reterr);
	/* What is not loaded, or not in force, holds nothing. */
	if (r)
		return r == -ENOENT ? 0 : r;
	r = bc_build_policy(&change->files, &host_names, BC_WARNING, change->options.unknown, &build, &report, reterr);
	if (!r && image.n >= BC_INDEX && image.cells[1].about.digest == build.cells.cells[1].about.digest)
		return 0;
	say_report(&report);
	if (!r)
		r = put_into_force(change, &build, NULL, NULL, reterr);
	return r ? r : 1;
}
