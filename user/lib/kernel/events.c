// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/events.h"
#include "kernel/pin.h"
#include "kernel/readers.h"

struct bc_events {
	struct ring_buffer *ring;
	struct bc_reader_place place;
	char *dir; /* of the pins */
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

int bc_events_open(const char *dir, const struct bc_wanted *wanted, struct bc_events **ret, struct bc_error *reterr)
{
	_cleanup_(bc_events_close) struct bc_events *events = calloc(1, sizeof(*events));
	_cleanup_close_ int ring_fd = -1;
	int r = bc_pins_require(dir, reterr);

	if (r)
		return r;
	if (events) {
		events->place = BC_READER_NOWHERE;
		events->dir = strdup(dir);
	}
	if (!events || !events->dir)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bc_ring", 0, 0, wanted->ring_bytes, NULL);
	if (ring_fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot create a BPF ring buffer of %u bytes", wanted->ring_bytes);
	events->ring = ring_buffer__new(ring_fd, hand_over, events, NULL);
	if (!events->ring)
		return bc_fail_errno(reterr, -errno, "cannot read a BPF ring buffer");
	r = bc_reader_enter(dir, ring_fd, wanted->all, wanted->rate, &events->place, reterr);
	if (r)
		return r;
	*ret = TAKE_PTR(events);
	return 0;
}

void bc_events_close(struct bc_events **events)
{
	if (!*events)
		return;
	if ((*events)->dir)
		bc_reader_leave((*events)->dir, &(*events)->place);
	ring_buffer__free((*events)->ring);
	free((*events)->dir);
	free(*events);
	*events = NULL;
}

int bc_events_fd(const struct bc_events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

bool bc_events_live(const struct bc_events *events)
{
	return bc_reader_is_served(events->dir, &events->place);
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

int bc_events_losses(const struct bc_events *events, struct bc_losses *ret, struct bc_error *reterr)
{
	struct bc_reader reader;
	int r = bc_reader_losses(&events->place, &reader, reterr);

	if (!r)
		*ret = (struct bc_losses){ reader.lost, reader.limited };
	return r;
}

/* Each CPU counts by itself. */
static int sum(int counters_fd, uint32_t counter, uint64_t *ret, struct bc_error *reterr)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = cpus > 0 ? calloc(cpus, sizeof(*values)) : NULL;
	uint64_t total = 0;

	if (!values)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	if (bpf_map_lookup_elem(counters_fd, &counter, values))
		return bc_fail_errno(reterr, -errno, "cannot read the counters");
	for (int i = 0; i < cpus; i++)
		total += values[i];
	*ret = total;
	return 0;
}

static int open_counters(const char *dir, int *ret_fd, struct bc_error *reterr)
{
	return bc_pin_open_map(dir, BC_PIN_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, ret_fd, NULL, reterr);
}

int bc_events_count_lost(const char *dir, uint64_t *ret_lost, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = open_counters(dir, &fd, reterr);

	return r ? r : sum(fd, BC_COUNT_LOST, ret_lost, reterr);
}

int bc_counters_read(const char *dir, uint64_t ret[BC_COUNTERS], struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = open_counters(dir, &fd, reterr);

	for (uint32_t i = 0; !r && i < BC_COUNTERS; i++)
		r = sum(fd, i, &ret[i], reterr);
	return r;
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

static int compare_times(const void *left, const void *right)
{
	const struct bc_refused *a = left, *b = right;

	return BC_COMPARE(a->last.time, b->last.time);
}

/* Looks again until nobody was writing there; a writer takes less than a microsecond, but may be preempted. */
#define LOOKS_MAX 1000

/* One of them, as it was at some moment. `times` is 0 when there is none. */
static int read_refusal(int fd, uint32_t at, struct bc_refusal *ret)
{
	struct bc_refusal again;

	for (int i = 0; i < LOOKS_MAX; i++) {
		if (bpf_map_lookup_elem(fd, &at, ret) || bpf_map_lookup_elem(fd, &at, &again))
			return -errno;
		if (!(ret->turn & 1) && !memcmp(ret, &again, sizeof(again)))
			return 0;
	}
	ret->times = 0;
	return 0;
}

int bc_refusals_read(const char *dir, struct bc_refused **ret, size_t *ret_n, struct bc_error *reterr)
{
	_cleanup_free_ struct bc_refused *all = calloc((size_t)BC_REFUSALS, sizeof(*all));
	_cleanup_close_ int fd = -1;
	struct bc_refusal refusal;
	size_t n = 0;
	int r = bc_pins_require(dir, reterr);

	if (!all)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	if (!r)
		r = bc_pin_open_map(dir, BC_PIN_REFUSALS, BPF_MAP_TYPE_ARRAY, &fd, NULL, reterr);
	for (uint32_t i = 0; !r && i < BC_REFUSALS; i++) {
		r = read_refusal(fd, i, &refusal);
		if (r)
			bc_fail_errno(reterr, r, "cannot read the BPF map of refusals");
		else if (refusal.times)
			all[n++] = (struct bc_refused){ refusal.last, refusal.times };
	}
	if (r)
		return r;
	if (n)
		qsort(all, n, sizeof(*all), compare_times);
	*ret = TAKE_PTR(all);
	*ret_n = n;
	return 0;
}
