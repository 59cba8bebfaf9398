/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bind as a person describes it, with options, to the question that the policy is asked. */
#ifndef BINDCTL_REQUEST_H
#define BINDCTL_REQUEST_H

#include "base/error.h"
#include "host/process.h"
#include "pure/decide.h"

#define REQUEST_GROUPS 64

struct request {
	const char *user, *port, *proto, *addr, *netns, *cgroup, *unit, *at, *pid;
	const char *groups[REQUEST_GROUPS]; /* the first is the effective one */
	size_t ngroups;
	bool v6only;

	/* Filled in by request_read() and request_complete(). */
	uint64_t process_id;
	struct bc_question question;
	struct bc_process process; /* what the question points into */
};

void request_done(struct request *request);

/*
 * The value of --user, a name or a number. 0, or -errno with a sentence that names the option: of check_user() about what
 * is no such value on any host, of find_user() about what this one does not know.
 */
int check_user(const char *text, struct bc_error *reterr);
int find_user(const char *text, uint32_t *ret_uid, struct bc_error *reterr);

/* The same of all options: they make the question one after the other. */
int request_read(struct request *request, struct bc_error *reterr);
int request_complete(struct request *request, struct bc_error *reterr);

#endif
