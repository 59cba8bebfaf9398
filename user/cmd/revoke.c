// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/change.h"
#include "cmd/holding.h"
#include "cmd/names.h"
#include "cmd/words.h"
#include "pure/edit.h"
#include "pure/parse.h"
#include "pure/pattern.h"

/* What is to go: the rules that a pattern matches, or the one with an id. */
struct wanted {
	const struct bc_policy *pattern; /* NULL: by id */
	uint32_t id;
};

/* The lines of the edited file that change, and the ports that their rules are about or lead to. */
struct plan {
	struct bc_line_edit *edits;
	size_t n, room;
	struct bc_range *ports;
	size_t nports, ports_room;
};

static void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		free(plan->edits[i].value);
	free(plan->edits);
	free(plan->ports);
}

static int add_ports(struct plan *plan, const struct bc_policy *policy, const struct bc_rule *rule)
{
	if (bc_grow(&plan->ports, &plan->ports_room, plan->nports + rule->nranges + 1))
		return -ENOMEM;
	for (uint32_t i = 0; i < rule->nranges; i++)
		plan->ports[plan->nports++] = policy->ranges[rule->ranges + i];
	if (rule->to_port)
		plan->ports[plan->nports++] = (struct bc_range){ rule->to_port, rule->to_port };
	return 0;
}

/* Of subjects that nobody knows any more, only the name tells one from another. */
static bool same_unknown(const struct bc_policy *policy, const struct bc_rule *rule, const struct bc_policy *pattern)
{
	const char *a = bc_policy_name(policy, rule), *b = bc_policy_name(pattern, &pattern->rules[0]);

	return rule->id != BC_UNRESOLVED || !a || !b || !strcmp(a, b);
}

/* What of the rule is to go: 0 and *ret_edit, -ENOENT if nothing, -ERANGE if that cannot be said in a rule. */
static int plan_rule(const struct wanted *wanted, const struct bc_policy *policy, const struct bc_rule *rule,
		     struct bc_line_edit *ret_edit)
{
	const struct bc_policy *pattern = wanted->pattern;
	_cleanup_free_ struct bc_range *left = NULL;
	struct bc_text ports = {};
	size_t n;
	int r;

	*ret_edit = (struct bc_line_edit){ .line = rule->line };
	if (!pattern)
		return bc_rule_id(bc_rule_digest(policy, rule)) == wanted->id ? 0 : -ENOENT;
	if (!bc_rule_matches(pattern, &pattern->rules[0], policy, rule) || !same_unknown(policy, rule, pattern))
		return -ENOENT;
	r = bc_rule_subtract(policy->ranges + rule->ranges, rule->nranges, pattern->ranges, pattern->nranges, &left,
			     &n);
	if (r)
		return r;
	if (!n)
		return 0;
	bc_format_ports(&ports, left, n);
	ret_edit->clause = "port";
	ret_edit->value = ports.data;
	return ports.failed ? -ENOMEM : 0;
}

/* A rule that matched but stays: why. */
static void say_left(const struct bc_policy *policy, const struct bc_rule *rule, const char *why)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_rule(&text, policy, rule);
	if (!text.failed)
		say("%s:%u: %s: %s", bc_policy_source_of(policy, rule), rule->line, text.data, why);
}

/* An ID has 32 bits: a file can be written whose rule has the ID of another one. */
static int check_id(const struct bc_policy *policy, uint32_t id, struct bc_error *reterr)
{
	const struct bc_rule *first = NULL;

	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];

		if (bc_rule_id(bc_rule_digest(policy, rule)) != id)
			continue;
		if (first && !bc_rule_same(policy, first, policy, rule))
			return bc_fail(reterr, -EEXIST,
				       "%08x is the ID of %s:%u and of %s:%u, which say different things; give the "
				       "subject and the ports",
				       id, bc_policy_source_of(policy, first), first->line,
				       bc_policy_source_of(policy, rule), rule->line);
		first = rule;
	}
	return 0;
}

/* Goes over every rule of every file; those of the edited file become edits. */
static int make_plan(const struct bc_change *change, const struct wanted *wanted, const struct bc_policy *policy,
		     struct plan *plan)
{
	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		bool ours = !strcmp(bc_policy_source_of(policy, rule), change->path);
		struct bc_line_edit edit;
		int r = plan_rule(wanted, policy, rule, &edit);

		if (r == -ENOMEM || (!r && ours && bc_grow(&plan->edits, &plan->room, plan->n + 1)))
			return -ENOMEM;
		if (!r && ours) {
			plan->edits[plan->n++] = edit;
			if (add_ports(plan, policy, rule))
				return -ENOMEM;
			continue;
		}
		if (r == -ERANGE)
			say_left(policy, rule, "stays; it speaks of every port, so revoke 'any' of it");
		else if (!r)
			say_left(policy, rule, "stays; this file is not edited by this command");
		if (!r)
			free(edit.value);
	}
	return 0;
}

/* Reads the files' rules. -EINVAL: there are faults in them, and nothing can be matched. */
static int read_rules(const struct bc_change *change, struct bc_policy *policy)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	int r = 0;

	for (size_t i = 0; i < change->files.n; i++) {
		const struct bc_file *file = &change->files.items[i];
		int got = bc_parse(policy, file->path, file->text, file->len, file->written, &report);

		r = r ?: got;
	}
	if (!r && bc_resolve(policy, &host_names, BC_WARNING, &report) == -ENOMEM)
		r = -ENOMEM;
	return r;
}

/* Puts the edited file into force, and says whom that leaves with a port. */
static int carry_out(const struct app *app, struct bc_change *change, const struct plan *plan,
		     const struct bc_text *text)
{
	const struct bc_wanted_ports ports = { plan->ports, plan->nports, BC_TCP | BC_UDP };
	_cleanup_(judge_done) struct judge before = {};
	bool ask = !change->options.dry_run && !judge_in_force(app, &before, NULL);
	int code = change_finish(change, text);

	if (ask && code == EXIT_DONE)
		say_still_held(app, &before, &ports);
	return code;
}

static int take_back(const struct app *app, const struct bc_change_options *options, const struct wanted *wanted)
{
	_cleanup_(bc_change_done) struct bc_change change = BC_CHANGE_NONE;
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(plan_done) struct plan plan = {};
	_cleanup_(bc_text_done) struct bc_text text = {};
	const struct bc_file *file;
	struct bc_error error;
	int r = change_begin(&change, app, options, BC_CHANGE_REMOVE, &error);

	if (r)
		return failed(&error);
	/* What the faults are, compiling says. */
	r = read_rules(&change, &policy);
	if (r && r != -ENOMEM)
		return change_finish(&change, NULL);
	if (!r && !wanted->pattern && check_id(&policy, wanted->id, &error))
		return failed(&error);
	if (!r)
		r = make_plan(&change, wanted, &policy, &plan);
	file = bc_files_find(&change.files, change.path);
	if (!r && !plan.n) {
		/* Whoever took it back before may have been killed behind the file: it must not stay in the kernel. */
		r = change_mend(&change, &error);
		if (r < 0)
			say_error(&error);
		if (r > 0)
			say("no rule in %s matches; the kernel held another policy than the files, which are in force "
			    "now",
			    change.path);
		else
			say("no rule in %s matches: nothing was changed", change.path);
		return EXIT_FAILED;
	}
	if (!r)
		r = bc_edit_lines(file->text, file->len, plan.edits, plan.n, &text);
	if (r) {
		bc_fail_errno(&error, r, "cannot edit %s", change.path);
		return failed(&error);
	}
	return carry_out(app, &change, &plan, &text);
}

/* A verb that all the clauses are good with; verbs are not compared. */
static const char *fitting_verb(int argc, char **argv)
{
	/* A clause at a time: a user may be called "to". */
	for (int i = 2; i < argc; i += strcmp(argv[i], "log") && strcmp(argv[i], "audit") ? 2 : 1)
		if (!strcmp(argv[i], "to"))
			return "rewrite";
	return "deny";
}

int run_revoke(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = { { "id", required_argument, NULL, 'i' }, CHANGE_OPTIONS{} };
	_cleanup_(bc_policy_done) struct bc_policy pattern = {};
	struct wanted wanted = { .pattern = &pattern };
	/* A user who is gone must not keep rules, his own least of all, from being taken back. */
	struct bc_change_options options = { .unknown = BC_WARNING };
	struct bc_error error;
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		take_change_option(&options, option);
		if (option != 'i')
			continue;
		wanted.pattern = NULL;
		wanted.id = strtoul(optarg, NULL, 16);
		if (strlen(optarg) != 8 || strspn(optarg, "0123456789abcdef") != 8)
			return usage_error(
				command,
				"revoke: --id: '%s' is not an ID (eight of 0-9 and a-f, as 'bindctl list' shows it)",
				optarg);
	}
	if (!wanted.pattern ? argc != optind : argc - optind < 2)
		return usage_error(command, "revoke: wants a subject and ports, or --id");
	if (wanted.pattern) {
		const struct arguments arguments = {
			.verb = fitting_verb(argc - optind, argv + optind),
			.argc = argc - optind,
			.argv = argv + optind,
			.unknown_too = true,
		};

		if (parse_arguments(&pattern, &arguments, &error))
			return failed(&error);
	}
	return take_back(app, &options, &wanted);
}
