/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holders of ports before a policy: what `holders` shows, and what `revoke` says. */
#ifndef BINDCTL_HOLDING_H
#define BINDCTL_HOLDING_H

#include "cmd/app.h"
#include "host/holders.h"
#include "pure/hold.h"

/* A policy that holders are held against. */
struct judge {
	struct bc_cells image;
	struct bc_policy policy; /* the same, as rules, once judge_read_rules() has been called */
	char *cgroup;		 /* outside of which it counts for nobody, as /proc/PID/cgroup names it; NULL: none */
	unsigned free_from;	 /* first port that takes no capability */
	int64_t now;
};

void judge_done(struct judge *judge);

/* Makes one of the policy in force. -ENOENT when none is. 0 or -errno with a sentence. */
int judge_in_force(const struct app *app, struct judge *ret, struct bc_error *reterr);

/* Needed before anybody is judged, and of very many rules the longer half of the work. 0 or -errno with a sentence. */
int judge_read_rules(struct judge *judge, struct bc_error *reterr);

/* Whether it would let the holder bind what he holds. 0 or -errno. */
int judge_holder(const struct judge *judge, const struct bc_holder *holder, struct bc_hold *ret);

/* "0.0.0.0:443/tcp": the socket as people read it. */
void format_socket(struct bc_text *text, const struct bc_socket *socket);
const char *socket_proto_name(const struct bc_socket *socket);

/* After a change: names those at the ports whom the policy before let bind what they hold, and the one in force not. */
void say_still_held(const struct app *app, struct judge *before, const struct bc_wanted_ports *ports);

#endif
