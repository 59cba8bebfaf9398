// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/follow.h"
#include "host/clock.h"
#include "pure/moment.h"

int follow_option(struct follow_limits *limits, const struct command *command, int option, const char *value)
{
	const char *name = command->name;
	char text[256];

	if (option == 'c' && bc_parse_number(value, strlen(value), 1, INT64_MAX, &limits->count))
		return usage_error(command, "%s: --count: '%s' is not a number from 1 on", name, value);
	if (option == 't' && bc_parse_duration(value, strlen(value), &limits->duration, text, sizeof(text)))
		return usage_error(command, "%s: --timeout: %s", name, text);
	return -1;
}

bool follow_is_full(struct follow_limits *limits)
{
	return limits->count && !--limits->count;
}

int follow_open(const char *pins, const struct bc_wanted *wanted, struct following *ret, struct bc_error *reterr)
{
	sigset_t signals;
	int r;

	/* What is begun is to be ended properly, so they are held before it is. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &signals, NULL))
		return bc_fail_errno(reterr, -errno, "cannot block signals");
	r = bc_events_open(pins, wanted, &ret->events, reterr);
	if (r)
		return r;
	ret->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return ret->signal_fd < 0 ? bc_fail_errno(reterr, -errno, "cannot wait for signals") : 0;
}

void follow_close(struct following *following)
{
	bc_events_close(&following->events);
	bc_closep(&following->signal_fd);
}

/* Events at a time: between them there is a look at whether it is to end, however fast they come. */
#define BATCH 4096

struct batch {
	int (*fn)(void *ctx, const struct bc_event *event);
	void *ctx;
	unsigned left;
};

static int hand_one(void *ctx, const struct bc_event *event)
{
	struct batch *batch = ctx;
	int r = batch->fn(batch->ctx, event);

	return r ? r : --batch->left ? 0 : -EAGAIN;
}

/* -EAGAIN: there may be more. */
static int hand_on(struct following *following, struct batch *batch)
{
	int r;

	batch->left = BATCH;
	r = bc_events_read(following->events, hand_one, batch);
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return errno && errno != EAGAIN ? -errno : -EIO;
	return r;
}

/* What there was when the end was asked for belongs to it; what still comes does not. */
static int hand_on_rest(struct following *following, struct batch *batch)
{
	int r = -EAGAIN;

	for (unsigned i = 0; r == -EAGAIN && i < FOLLOW_RING_MAX / sizeof(struct bc_event) / BATCH + 1; i++)
		r = hand_on(following, batch);
	return r == -EAGAIN ? 0 : r;
}

#define LOOK_MS 1000 /* between two looks at whether there is still something to be seen */

int follow(struct following *following, int64_t duration, int (*fn)(void *ctx, const struct bc_event *event), void *ctx)
{
	const int64_t end = duration ? bc_clock_ms() + duration / 1000000 : 0;
	struct batch batch = { fn, ctx, 0 };

	for (;;) {
		struct pollfd fds[] = { { bc_events_fd(following->events), POLLIN, 0 },
					{ following->signal_fd, POLLIN, 0 },
					{ STDOUT_FILENO, 0, 0 } };
		int64_t left = end ? end - bc_clock_ms() : LOOK_MS;
		int r = hand_on(following, &batch);

		if (r && r != -EAGAIN)
			return r;
		if (end && left <= 0)
			return hand_on_rest(following, &batch);
		r = poll(fds, ARRAY_SIZE(fds), r ? 0 : left < LOOK_MS ? left : LOOK_MS);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return hand_on_rest(following, &batch);
		if (fds[2].revents & POLLERR)
			return -EPIPE;
		if (!r && !bc_events_live(following->events))
			return -ENOLINK;
	}
}
