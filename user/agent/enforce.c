// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enforce.h"
#include "agent/filename.h"
#include "kernel/change.h"
#include "kernel/status.h"
#include "pure/parse.h"

int enforcer_init(struct enforcer *ret, const struct enforcer_config *config, struct bc_error *reterr)
{
	const char *file = config->file ? config->file : FILENAME_DEFAULT;
	int r = filename_check(file, reterr);

	if (r)
		return r;
	*ret = (struct enforcer){ .instance = config->instance, .store = config->store };
	ret->instance.patience.seconds = ENFORCE_LOCK_SECONDS;
	ret->store.runtime_file = file;
	hostnames_init(&ret->names, config->root);
	return 0;
}

void enforcer_done(struct enforcer *enforcer)
{
	hostnames_close(&enforcer->names);
	free(enforcer->text);
	*enforcer = (struct enforcer){};
}

static void add(struct bc_report *report, const char *text)
{
	/* The advice behind what is found is for people: here it has been followed. */
	const char *advice = strstr(text, "; run: ");
	struct bc_error error = {};

	bc_fail(&error, 0, "%.*s", (int)(advice ? advice - text : (long)strlen(text)), text);
	error.severity = BC_WARNING;
	bc_report_add(report, &error);
}

/* Takes the report over, and adds what the others say. */
static void tell(struct bc_change *change, const struct bc_report *amiss, struct bc_report *ret_report)
{
	*ret_report = change->report;
	change->report = (struct bc_report){};
	if (*change->note.text)
		bc_report_add(ret_report, &change->note);
	if (change->migrated)
		add(ret_report, "the pins were of an older schema");
	for (size_t i = 0; i < amiss->n; i++)
		bc_report_add(ret_report, &amiss->items[i]);
}

static bool says(const struct bc_change *change, const char *text, size_t len)
{
	const struct bc_file *file = bc_files_find(&change->files, change->path);

	return file && file->len == len && !memcmp(file->text, text, len);
}

/* How the kernel stands; adds to `amiss` what keeps it from enforcing anything. */
static int look(const struct bc_change *change, struct bc_status *ret_status, struct bc_report *amiss,
		struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report findings = {};
	int r = bc_instance_status(change->site.instance, ret_status, &findings, reterr);

	/* What is only a warning speaks of other programs. */
	for (size_t i = 0; !r && !ret_status->enforced && i < findings.n; i++)
		if (findings.items[i].severity == BC_ERROR)
			add(amiss, findings.items[i].text);
	return r;
}

static int compare(const struct bc_change *change, const struct bc_status *status, bool *ret_differ,
		   struct bc_error *reterr)
{
	int r = bc_differ(&status->policy, &change->build.policy, ret_differ);

	return r ? bc_fail_errno(reterr, r, "cannot compare the policies") : 0;
}

/* What is in force must be what was meant to be. */
static int confirm(struct enforcer *enforcer, const struct bc_change *change, struct bc_error *reterr)
{
	_cleanup_(bc_status_done) struct bc_status status = {};
	_cleanup_(bc_report_done) struct bc_report amiss = {};
	int r = look(change, &status, &amiss, reterr);
	bool differ;

	if (!r)
		r = compare(change, &status, &differ, reterr);
	if (r)
		return r;
	if (!status.enforced || differ)
		return bc_fail(reterr, -EIO, "the kernel does not enforce what was put into force: %s",
			       amiss.n ? amiss.items[0].text : "it has another policy");
	enforcer->facts = (struct enforce_facts){ status.generation, status.rules };
	return 0;
}

/* With the lock, and what was built. */
static int settle(struct enforcer *enforcer, struct bc_change *change, enum enforce_result *ret,
		  struct bc_report *amiss, struct bc_error *reterr)
{
	_cleanup_(bc_status_done) struct bc_status status = {};
	bool edited = change->before.path, differ;
	int r = look(change, &status, amiss, reterr);

	if (!r)
		r = compare(change, &status, &differ, reterr);
	if (r)
		return r;
	*ret = ENFORCE_NOTHING;
	if (!edited && status.enforced && differ)
		add(amiss, "the policy in force was not that of the files");
	/* To load it the first time is no mending. */
	if (!status.loaded && edited)
		bc_report_done(amiss);
	if (edited || amiss->n) {
		/* Whatever is wrong with the programs, to attach this build's heals it. */
		change->options.upgrade = status.loaded && !status.enforced;
		*ret = edited ? ENFORCE_CHANGED : ENFORCE_MENDED;
		r = bc_change_apply(change, reterr);
	}
	return r ? r : confirm(enforcer, change, reterr);
}

static int carry_out(struct enforcer *enforcer, enum enforce_result *ret, struct bc_report *ret_report,
		     struct bc_error *reterr)
{
	const struct bc_site site = { &enforcer->instance, &enforcer->store, &enforcer->names.names };
	const struct bc_text text = { .data = enforcer->text, .len = enforcer->len };
	_cleanup_(bc_change_done) struct bc_change change = BC_CHANGE_NONE;
	_cleanup_(bc_report_done) struct bc_report amiss = {};
	bool edit = false;
	int r = bc_change_begin(&change, &site, &(struct bc_change_options){ .runtime = true }, BC_CHANGE_ADD, reterr);

	if (!r) {
		edit = !says(&change, enforcer->text, enforcer->len);
		r = bc_change_build(&change, edit ? &text : NULL, reterr);
	}
	if (!r)
		r = settle(enforcer, &change, ret, &amiss, reterr);
	tell(&change, &amiss, ret_report);
	hostnames_close(&enforcer->names);
	return r;
}

static int remember(struct enforcer *enforcer, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	free(enforcer->text);
	enforcer->text = copy;
	enforcer->len = len;
	return 0;
}

int enforce(struct enforcer *enforcer, const char *text, size_t len, enum enforce_result *ret,
	    struct bc_report *ret_report, struct bc_error *reterr)
{
	if (remember(enforcer, text, len))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	return carry_out(enforcer, ret, ret_report, reterr);
}

int enforce_check(struct enforcer *enforcer, enum enforce_result *ret, struct bc_report *ret_report,
		  struct bc_error *reterr)
{
	enum enforce_result result;
	int r = carry_out(enforcer, &result, ret_report, reterr);

	if (r)
		return r;
	if (result == ENFORCE_CHANGED) {
		struct bc_error error;

		bc_fail(&error, 0, "%s/%s did not say what it is to say", enforcer->store.runtime,
			enforcer->store.runtime_file);
		error.severity = BC_WARNING;
		bc_report_add(ret_report, &error);
		result = ENFORCE_MENDED;
	}
	*ret = result;
	return 0;
}

static void add_rule(struct bc_text *text, char sign, const struct bc_policy *policy, uint32_t number)
{
	const struct bc_rule *rule = &policy->rules[number];
	_cleanup_(bc_text_done) struct bc_text line = {};
	char shown[4 * BC_LINE_MAX];

	bc_format_rule(&line, policy, rule);
	bc_text_addf(&line, "  # %s:%u", bc_policy_source_of(policy, rule), rule->line);
	if (line.failed)
		text->failed = true;
	else
		bc_text_addf(text, "%c %s\n", sign, bc_printable(shown, sizeof(shown), line.data));
}

int enforce_dry(struct enforcer *enforcer, const char *text, size_t len, struct bc_text *ret_difference,
		struct bc_report *ret_report, struct bc_error *reterr)
{
	const struct bc_site site = { &enforcer->instance, &enforcer->store, &enforcer->names.names };
	const struct bc_change_options options = { .runtime = true, .dry_run = true };
	const struct bc_text wanted = { .data = (char *)text, .len = len };
	_cleanup_(bc_difference_done) struct bc_difference difference = {};
	_cleanup_(bc_change_done) struct bc_change change = BC_CHANGE_NONE;
	const struct bc_diff *diff = &difference.diff;
	int r = bc_change_begin(&change, &site, &options, BC_CHANGE_ADD, reterr);

	if (!r)
		r = bc_change_build(&change, &wanted, reterr);
	if (!r)
		r = bc_change_difference(&change, &difference, reterr);
	tell(&change, &(struct bc_report){}, ret_report);
	hostnames_close(&enforcer->names);
	for (size_t i = 0; !r && i < diff->nremoved; i++)
		add_rule(ret_difference, '-', &difference.current, diff->removed[i]);
	for (size_t i = 0; !r && i < diff->nadded; i++)
		add_rule(ret_difference, '+', &change.build.policy, diff->added[i]);
	if (!r && ret_difference->failed)
		r = bc_fail(reterr, -ENOMEM, "out of memory");
	return r;
}
