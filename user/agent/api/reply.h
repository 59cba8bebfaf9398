/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reply of the API server, as it arrives: a page of a list, the events of a watch, or why there is none. Objects go to
 * the reflector's owner at once; what the reflector needs to go on is kept here.
 */
#ifndef BINDCTL_AGENT_REPLY_H
#define BINDCTL_AGENT_REPLY_H

#include <json-c/json.h>
#include "agent/api/reflector.h"
#include "agent/api/split.h"

#define REPLY_COMPLAINT 4096 /* bytes of an error's body that are kept */
#define REPLY_CONTINUE 16384 /* the longest token of a list's next page that we take */

/* Why a reply was not read to its end. */
enum reply_stop {
	REPLY_GOES_ON = 0,
	REPLY_ERROR,  /* an ERROR event; or a page that is an error: code, reason, message and retry_after_s tell */
	REPLY_BROKEN, /* this is no list, or no watch; `message` says why */
	REPLY_MEMORY, /* an object could not be taken */
};

struct reply {
	const struct reflector_config *config;
	struct reflector_stats *stats;
	struct split *split;
	struct json_tokener *tokener;
	bool watch;
	size_t objects;	       /* of this reply */
	unsigned status;       /* 0: no head yet */
	int64_t retry_after_s; /* of the head or the error; -1: not said */

	char version[128]; /* the last resourceVersion that was seen; "" if none */
	char *next_page;   /* of a list: the token to go on with; NULL: it was the last page */
	bool metadata;	   /* of a list: has been read */

	enum reply_stop stop;
	unsigned code; /* of an ERROR event */
	bool expired;  /* whatever its code, it says that the version is too old */
	char message[256];

	char complaint[REPLY_COMPLAINT + 1]; /* the beginning of an error's body */
	size_t complaint_len;
};

/* The reply to a request that is about to be sent. 0 or -ENOMEM. */
int reply_begin(struct reply *reply, const struct reflector_config *config, struct reflector_stats *stats, bool watch);

/* 0, or -1: no more is wanted, see reply->stop. */
int reply_feed(struct reply *reply, const char *data, size_t len, int64_t now_ms);

/* Whether what was fed is complete: a list's page from its first to its last bracket, a watch between two events. */
bool reply_whole(const struct reply *reply);

/* Of a reply whose status is not 200: fills in message, expired and retry_after_s from its body. */
void reply_read_complaint(struct reply *reply);

/* Frees what it owns, and makes it empty. */
void reply_done(struct reply *reply);

#endif
