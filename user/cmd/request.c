// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/request.h"
#include "host/clock.h"
#include "host/names.h"
#include "pure/clause.h"
#include "pure/moment.h"
#include "pure/unit.h"

void request_done(struct request *request)
{
	bc_process_done(&request->process);
}

/* Users or groups. */
struct accounts {
	const char *option, *number, *what;
	int (*look_up)(void *ctx, const char *name, uint32_t *ret_id);
};

static const struct accounts users = { "--user", "uid", "user", bc_user_by_name },
			     groups = { "--group", "gid", "group", bc_group_by_name };

static int parse_id(const char *text, uint64_t *ret_id)
{
	return bc_parse_number(text, strlen(text), 0, UINT32_MAX - 1, ret_id);
}

/* By name or number. */
static int check_account(const struct accounts *accounts, const char *text, struct bc_error *reterr)
{
	uint64_t id;
	int r = parse_id(text, &id);

	if (r == -ERANGE)
		return bc_fail(reterr, -EINVAL, "%s: %s %s is out of range (0 to 4294967294)", accounts->option,
			       accounts->number, text);
	if (r && (!*text || strlen(text) > 255))
		return bc_fail(reterr, -EINVAL, "%s: a %s name has 1 to 255 bytes", accounts->option, accounts->what);
	return 0;
}

static int find_account(const struct accounts *accounts, const char *text, uint32_t *ret_id, struct bc_error *reterr)
{
	uint64_t id;
	int r;

	if (!parse_id(text, &id)) {
		*ret_id = id;
		return 0;
	}
	r = accounts->look_up(NULL, text, ret_id);
	if (r == -ENOENT)
		return bc_fail(reterr, r, "%s: unknown %s '%s'", accounts->option, accounts->what, text);
	return r ? bc_fail_errno(reterr, r, "%s: cannot look up '%s'", accounts->option, text) : 0;
}

int check_user(const char *text, struct bc_error *reterr)
{
	return check_account(&users, text, reterr);
}

int find_user(const char *text, uint32_t *ret_uid, struct bc_error *reterr)
{
	return find_account(&users, text, ret_uid, reterr);
}

/* The groups that were given, or those that the user has at login. A uid without a user is in none. */
static int find_groups(struct request *request, struct bc_error *reterr)
{
	struct bc_process *process = &request->process;
	int r;

	if (!request->ngroups) {
		r = bc_user_groups(process->uid, &process->gid, &process->groups, &process->ngroups);
		if (r == -ENOENT)
			process->gid = BC_UNRESOLVED;
		return !r || r == -ENOENT ?
			       0 :
			       bc_fail_errno(reterr, r, "cannot look up the groups of uid %u", process->uid);
	}
	process->groups = calloc(request->ngroups, sizeof(*process->groups));
	if (!process->groups)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	process->ngroups = request->ngroups;
	for (size_t i = 0; i < request->ngroups; i++) {
		r = find_account(&groups, request->groups[i], &process->groups[i], reterr);
		if (r)
			return r;
	}
	process->gid = process->groups[0];
	return 0;
}

static int find_cgroup(struct request *request, struct bc_error *reterr)
{
	struct bc_process *process = &request->process;
	const char *cgroup = request->cgroup, *unit = request->unit;
	bool known = true;
	int r = 0;

	if (unit)
		r = host_names.unit(host_names.ctx, unit, process->uid, &process->cgroup, &known);
	else if (cgroup)
		process->cgroup = strdup(cgroup);
	if (r)
		return bc_fail_errno(reterr, r, "--unit: cannot look up '%s'", unit);
	if (unit && !known)
		say("warning: this host has no unit '%s' (explained for the cgroup %s)", unit, process->cgroup);
	return cgroup && !process->cgroup ? bc_fail(reterr, -ENOMEM, "out of memory") : 0;
}

/* What is said of the one who binds. */
static int check_who(const struct request *request, struct bc_error *reterr)
{
	const char *cgroup = request->cgroup, *unit = request->unit;
	char text[256];
	int r = request->user ? check_user(request->user, reterr) : 0;

	for (size_t i = 0; !r && i < request->ngroups; i++)
		r = check_account(&groups, request->groups[i], reterr);
	if (r)
		return r;
	if (strcmp(request->netns, "host") && strcmp(request->netns, "other"))
		return bc_fail(reterr, -EINVAL, "--netns: unknown network namespace '%s' (host or other)",
			       request->netns);
	if (cgroup && bc_check_path(cgroup, strlen(cgroup), text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "--cgroup: %s", text);
	if (unit && bc_unit_check(unit, strlen(unit), text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "--unit: %s", text);
	return 0;
}

/* The one who binds, from options or from a live process. */
static int find_who(struct request *request, struct bc_error *reterr)
{
	int r;

	if (request->pid)
		return bc_process_read(request->process_id, &request->process, reterr);
	request->process.host_netns = *request->netns == 'h';
	r = find_user(request->user, &request->process.uid, reterr);
	return r ?: find_groups(request, reterr) ?: find_cgroup(request, reterr);
}

/* The address, port and protocol asked for. */
static int parse_what(struct request *request, struct bc_error *reterr)
{
	struct bc_question *question = &request->question;
	struct bc_word word = { .text = request->addr, .len = strlen(request->addr) };
	char text[256];
	uint64_t port;
	uint8_t prefix;

	if (bc_parse_number(request->port, strlen(request->port), 0, 65535, &port))
		return bc_fail(reterr, -EINVAL, "--port: '%s' is not a port number (0 to 65535)", request->port);
	if (bc_parse_addr(&word, question->addr, &question->v4, &prefix, text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "--addr: %s", text);
	if (prefix != 128)
		return bc_fail(reterr, -EINVAL, "--addr: a bind asks for one address, not for a prefix");
	if (strcmp(request->proto, "tcp") && strcmp(request->proto, "udp"))
		return bc_fail(reterr, -EINVAL, "--proto: unknown protocol '%s' (tcp or udp)", request->proto);
	question->port = port;
	question->proto = *request->proto == 't' ? BC_TCP : BC_UDP;
	question->v6only = request->v6only;
	return 0;
}

static int parse_when(struct request *request, struct bc_error *reterr)
{
	bool relative;
	char text[256];

	request->question.now = bc_now();
	if (request->at && bc_parse_moment(request->at, strlen(request->at), bc_now(), &request->question.now,
					   &relative, text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "--at: %s", text);
	return 0;
}

int request_read(struct request *request, struct bc_error *reterr)
{
	const char *pid = request->pid;

	if (pid && bc_parse_number(pid, strlen(pid), 1, INT32_MAX, &request->process_id))
		return bc_fail(reterr, -EINVAL, "--pid: '%s' is not a process id", pid);
	return parse_what(request, reterr) ?: parse_when(request, reterr) ?: check_who(request, reterr);
}

int request_complete(struct request *request, struct bc_error *reterr)
{
	struct bc_question *question = &request->question;
	const struct bc_process *process = &request->process;
	int r = find_who(request, reterr);

	if (r)
		return r;
	question->uid = process->uid;
	question->gid = process->gid;
	question->groups = process->groups;
	question->ngroups = process->ngroups;
	question->cgroup = process->cgroup;
	question->host_netns = process->host_netns;
	return 0;
}
