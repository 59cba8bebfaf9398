// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "kernel/events.h"
#include "kernel/pin.h"

struct bc_events {
	struct ring_buffer *ring;
	uint32_t ring_id;
	int counters_fd;
	int (*fn)(void *ctx, const struct bc_event *event);
	void *ctx;
	int stopped; /* what fn returned */
};

static int hand_over(void *ctx, void *data, size_t size)
{
	struct bc_events *events = ctx;

	/* A record of another build: what is in it is not known here. */
	if (size < sizeof(struct bc_event))
		return 0;
	events->stopped = events->fn(events->ctx, data);
	return events->stopped ? -EINTR : 0;
}

int bc_events_open(const char *dir, struct bc_events **ret, struct bc_error *reterr)
{
	_cleanup_(bc_events_close) struct bc_events *events = NULL;
	_cleanup_close_ int ring_fd = -1;
	int r = bc_pins_require(dir, reterr);

	if (r)
		return r;
	events = calloc(1, sizeof(*events));
	if (!events)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	events->counters_fd = -1;
	r = bc_pin_open_map(dir, BC_PIN_EVENTS, BPF_MAP_TYPE_RINGBUF, &ring_fd, &events->ring_id, reterr);
	if (!r)
		r = bc_pin_open_map(dir, BC_PIN_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, &events->counters_fd, NULL,
				    reterr);
	if (r)
		return r;
	events->ring = ring_buffer__new(ring_fd, hand_over, events, NULL);
	if (!events->ring)
		return bc_fail_errno(reterr, -errno, "cannot read the events in %s", dir);
	*ret = TAKE_PTR(events);
	return 0;
}

void bc_events_close(struct bc_events **events)
{
	if (!*events)
		return;
	ring_buffer__free((*events)->ring);
	bc_closep(&(*events)->counters_fd);
	free(*events);
	*events = NULL;
}

int bc_events_fd(const struct bc_events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

bool bc_events_live(const struct bc_events *events, const char *dir)
{
	_cleanup_close_ int fd = -1;
	uint32_t id;

	return !bc_pin_open_map(dir, BC_PIN_EVENTS, BPF_MAP_TYPE_RINGBUF, &fd, &id, NULL) && id == events->ring_id;
}

int bc_events_read(struct bc_events *events, int (*fn)(void *ctx, const struct bc_event *event), void *ctx)
{
	int r;

	events->fn = fn;
	events->ctx = ctx;
	events->stopped = 0;
	r = ring_buffer__consume(events->ring);
	if (events->stopped)
		return events->stopped;
	return r < 0 ? r : 0;
}

/* Each CPU counts by itself. */
static int sum_lost(int counters_fd, uint64_t *ret_lost, struct bc_error *reterr)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = cpus > 0 ? calloc(cpus, sizeof(*values)) : NULL;
	const uint32_t key = BC_COUNT_LOST;
	uint64_t sum = 0;

	if (!values)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	if (bpf_map_lookup_elem(counters_fd, &key, values))
		return bc_fail_errno(reterr, -errno, "cannot read the counters");
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	*ret_lost = sum;
	return 0;
}

int bc_events_lost(const struct bc_events *events, uint64_t *ret_lost, struct bc_error *reterr)
{
	return sum_lost(events->counters_fd, ret_lost, reterr);
}

static int open_counters(const char *dir, int *ret_fd, struct bc_error *reterr)
{
	int r = bc_pin_open_map(dir, BC_PIN_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, ret_fd, NULL, reterr);

	return r == -ENOENT ? bc_fail(reterr, r, "the pin of the counters is missing in %s; run: bindctl load", dir) :
			      r;
}

int bc_events_count_lost(const char *dir, uint64_t *ret_lost, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = open_counters(dir, &fd, reterr);

	return r ? r : sum_lost(fd, ret_lost, reterr);
}

int bc_events_forget_lost(const char *dir, struct bc_error *reterr)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *zeros = cpus > 0 ? calloc(cpus, sizeof(*zeros)) : NULL;
	const uint32_t key = BC_COUNT_LOST;
	_cleanup_close_ int fd = -1;
	int r = zeros ? open_counters(dir, &fd, reterr) : bc_fail(reterr, -ENOMEM, "out of memory");

	if (!r && bpf_map_update_elem(fd, &key, zeros, BPF_ANY))
		r = bc_fail_errno(reterr, -errno, "cannot write the counters");
	return r;
}
