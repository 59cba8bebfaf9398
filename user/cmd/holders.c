// SPDX-License-Identifier: GPL-2.0-or-later
/* holders: who holds ports, and whether the policy in force would still let them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/holding.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "cmd/words.h"
#include "host/names.h"

/* What is printed of a holder. */
struct row {
	const struct bc_holder *holder;
	struct bc_hold hold;
};

/* One run of the command. */
struct report {
	struct bc_holders holders;
	struct row *rows;
	size_t n;
	struct judge judge;
	bool judged; /* there is a policy to ask */
};

static void report_done(struct report *report)
{
	bc_holders_done(&report->holders);
	judge_done(&report->judge);
	free(report->rows);
}

static const char *state_name(const struct bc_socket *socket)
{
	return socket->state == BC_SOCKET_LISTENS ? "listen" : socket->state == BC_SOCKET_BOUND ? "bound" : "connected";
}

static const struct bc_rule *rule_of(const struct report *report, const struct row *row)
{
	return report->judged && row->hold.rule != BC_RULE_NONE ? &report->judge.policy.rules[row->hold.rule] : NULL;
}

enum column {
	SOCKET,
	STATE,
	PID,
	COMMAND,
	USER,
	LET,
	ANSWER,
	FROM,
	COLUMNS
};

static const char *const titles[COLUMNS] = { "SOCKET", "STATE", "PID", "COMMAND", "USER", "LET", "ANSWER", "FROM" };

static void format_cell(const struct report *report, const struct row *row, enum column column, struct bc_text *text)
{
	const struct bc_holder *holder = row->holder;
	const struct bc_rule *rule = rule_of(report, row);
	_cleanup_free_ char *user = NULL;

	if (column == SOCKET) {
		format_socket(text, holder->socket);
	} else if (column == STATE) {
		bc_text_addf(text, "%s", state_name(holder->socket));
	} else if (column == USER) {
		user = bc_user_name(holder->process->uid);
		if (user)
			bc_text_addf(text, "%s", user);
		else
			bc_text_addf(text, "%u", holder->process->uid);
	} else if (column == PID && holder->pid) {
		bc_text_addf(text, "%d", (int)holder->pid);
	} else if (column == COMMAND && holder->pid) {
		bc_format_word(text, holder->process->comm);
	} else if (column == LET && report->judged) {
		bc_text_addf(text, "%s", row->hold.let ? "yes" : "no");
	} else if (column == ANSWER && report->judged) {
		bc_text_addf(text, "%s", out_verdict(row->hold.verdict));
	} else if (column == FROM && rule) {
		bc_text_addf(text, "%s:%u", bc_policy_source_of(&report->judge.policy, rule), rule->line);
	} else {
		bc_text_addf(text, "%s", column == LET ? "?" : column == FROM && report->judged ? "the kernel" : "-");
	}
}

/* How many columns of a terminal the text takes, as out_text() prints it: near enough, bytes. */
static int width_of(const char *text)
{
	_cleanup_free_ char *shown = out_printable(text);

	return strlen(shown ?: text);
}

/* Every column as wide as its widest cell. 0 or -ENOMEM. */
static int measure(const struct report *report, int *widths)
{
	for (enum column column = 0; column < COLUMNS; column++) {
		widths[column] = strlen(titles[column]);
		for (size_t i = 0; i < report->n; i++) {
			_cleanup_(bc_text_done) struct bc_text text = {};
			int width;

			format_cell(report, &report->rows[i], column, &text);
			if (text.failed)
				return -ENOMEM;
			width = width_of(text.data);
			if (width > widths[column])
				widths[column] = width;
		}
	}
	return 0;
}

/* The title for no row. Behind the last cell there is nothing to be filled. */
static int print_row(const struct report *report, const struct row *row, const int *widths)
{
	for (enum column column = 0; column < COLUMNS; column++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		if (row)
			format_cell(report, row, column, &text);
		else
			bc_text_addf(&text, "%s", titles[column]);
		if (text.failed)
			return -ENOMEM;
		out_text(text.data);
		if (column < COLUMNS - 1)
			printf("%*s", widths[column] - width_of(text.data) + 2, "");
	}
	printf("\n");
	return 0;
}

static int print_table(const struct report *report)
{
	int widths[COLUMNS], r = measure(report, widths);

	if (!r && report->n)
		r = print_row(report, NULL, widths);
	for (size_t i = 0; !r && i < report->n; i++)
		r = print_row(report, &report->rows[i], widths);
	return r;
}

static void set_socket(struct json_object *object, const struct bc_socket *socket)
{
	out_set_address(object, "addr", socket->addr);
	out_set_number(object, "port", socket->port);
	out_set_string(object, "proto", socket_proto_name(socket));
	out_set_number(object, "family", socket->family);
	out_set_string(object, "state", state_name(socket));
	out_set_number(object, "inode", socket->inode);
	out_set_number(object, "socket_uid", socket->uid);
	out_set_number(object, "socket_cgroup_id", socket->cgroup);
}

/* A number that may be missing. */
static void set_known(struct json_object *object, const char *name, bool known, int64_t value)
{
	if (known)
		out_set_number(object, name, value);
	else
		out_set_string(object, name, NULL);
}

static void print_element(const struct report *report, const struct row *row)
{
	const struct bc_process *process = row->holder->process;
	struct json_object *object = json_object_new_object();
	_cleanup_free_ char *user = bc_user_name(process->uid);
	const struct bc_rule *rule = rule_of(report, row);
	const struct bc_hold *hold = &row->hold;

	set_socket(object, row->holder->socket);
	set_known(object, "pid", row->holder->pid, row->holder->pid);
	out_set_string(object, "comm", row->holder->pid ? process->comm : NULL);
	out_set_number(object, "uid", process->uid);
	out_set_string(object, "user", user);
	set_known(object, "gid", process->gid != BC_UNRESOLVED, process->gid);
	out_set_string(object, "cgroup", process->cgroup);
	out_set_bool(object, "net_bind_service", process->binds_low);
	if (report->judged)
		out_set_bool(object, "let", hold->let);
	else
		out_set_string(object, "let", NULL);
	out_set_string(object, "verdict", report->judged ? out_verdict(hold->verdict) : "unknown");
	out_set_string(object, "errno", report->judged && hold->verdict == BC_DENY ? bc_errno_name(hold->err) : NULL);
	json_object_object_add(object, "rule", rule ? out_rule(&report->judge.policy, rule) : NULL);
	out_element(object);
}

/* Of this network namespace; 0 where the kernel does not say. */
static uint64_t netns_cookie(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? 0 : cookie;
}

static void print_json(const struct report *report)
{
	struct json_object *members = json_object_new_object();

	out_set_number(members, "netns", netns_cookie());
	set_known(members, "generation", report->judged,
		  report->judged ? (int64_t)report->judge.image.cells[0].header.generation : 0);
	out_begin_array(members, "holders");
	for (size_t i = 0; i < report->n; i++)
		print_element(report, &report->rows[i]);
	out_end_array();
}

/* Decides every holder and keeps those to be shown. */
static int make_rows(struct report *report, bool denied, struct bc_error *reterr)
{
	size_t n = 0;

	report->rows = calloc(report->holders.n + 1, sizeof(*report->rows));
	if (!report->rows)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	/* The analysers do not see that where there are some, there are items. */
	for (size_t i = 0; report->holders.items && i < report->holders.n; i++) {
		struct row *row = &report->rows[n];
		int r;

		*row = (struct row){ .holder = &report->holders.items[i] };
		r = report->judged ? judge_holder(&report->judge, row->holder, &row->hold) : 0;
		if (r)
			return bc_fail_errno(reterr, r, "cannot tell what the policy answers");
		n += !denied || !row->hold.let;
	}
	report->n = n;
	return 0;
}

static void say_what_is_missing(const struct report *report, const char *ports, bool denied)
{
	const char *port = ports ? "port " : "a port", *which = ports ?: "";

	if (!report->holders.n)
		say("no socket holds %s%s", port, which);
	else if (!report->n && denied)
		say("everybody who holds %s%s would still be let", port, which);
	if (report->holders.hidden)
		say("some processes cannot be looked into, which takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: where "
		    "none "
		    "is shown, the user who made the socket stands for it");
}

static int show_holders(const struct app *app, const char *ports, bool denied, bool json)
{
	_cleanup_(report_done) struct report report = {};
	_cleanup_(bc_policy_done) struct bc_policy pattern = {};
	const struct arguments arguments = { .verb = "deny",
					     .argc = 2,
					     .argv = (char *[]){ "any", (char *)(ports ?: "any") } };
	struct bc_wanted_ports wanted;
	struct bc_error error;
	int r = parse_arguments(&pattern, &arguments, &error);

	if (r)
		return failed(&error);
	wanted = (struct bc_wanted_ports){ pattern.ranges, pattern.nranges, pattern.rules[0].proto };
	r = judge_in_force(app, &report.judge, &error);
	if (!r)
		r = judge_read_rules(&report.judge, &error);
	report.judged = !r;
	/* Then who holds what can still be told. */
	if (r && denied)
		return failed(&error);
	if (r)
		say_error(&error);
	r = bc_holders_read(&wanted, &report.holders, &error);
	if (!r)
		r = make_rows(&report, denied, &error);
	if (r)
		return failed(&error);
	if (report.judged)
		add_names(&report.judge.policy);
	if (json)
		print_json(&report);
	else if (print_table(&report)) {
		bc_fail(&error, -ENOMEM, "out of memory");
		return failed(&error);
	}
	say_what_is_missing(&report, ports, denied);
	return finish_output(EXIT_DONE);
}

int run_holders(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "denied", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	bool denied = false, json = false;
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		denied |= option == 'd';
		json |= option == 'j';
	}
	if (argc - optind > 1)
		return usage_error(command, "holders: unexpected '%s'", argv[optind + 1]);
	return show_holders(app, optind < argc ? argv[optind] : NULL, denied, json);
}
