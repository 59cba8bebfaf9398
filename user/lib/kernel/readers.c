// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "host/lock.h"
#include "kernel/force.h"
#include "kernel/image.h"
#include "kernel/pin.h"
#include "kernel/readers.h"
#include "pure/decompile.h"
#include "pure/gate.h"

/* What they are written down in. */
struct registry {
	int rings_fd;
	int readers_fd;
	uint32_t rings_id;
	struct bc_force force;
};

static void registry_done(struct registry *registry)
{
	bc_closep(&registry->rings_fd);
	bc_closep(&registry->readers_fd);
	bc_force_done(&registry->force);
}

#define REGISTRY_NONE                                                    \
	{                                                                \
		.rings_fd = -1, .readers_fd = -1, .force = BC_FORCE_NONE \
	}

static int open_registry(const char *dir, struct registry *ret, struct bc_error *reterr)
{
	int r = bc_pins_require(dir, reterr);

	if (!r)
		r = bc_pin_open_map(dir, BC_PIN_RINGS, BPF_MAP_TYPE_ARRAY_OF_MAPS, &ret->rings_fd, &ret->rings_id,
				    reterr);
	if (!r)
		r = bc_pin_open_map(dir, BC_PIN_READERS, BPF_MAP_TYPE_ARRAY, &ret->readers_fd, NULL, reterr);
	return r ? r : bc_force_open(dir, &ret->force, reterr);
}

/* Takes the lock of the place if nobody has it: a descriptor, or -errno. */
static int lock_place(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		return -errno;
	return TAKE_FD(fd);
}

/* What the image in force needs of the gate; everything when that cannot be told. */
static void read_needs(const char *dir, const struct registry *registry, struct bc_gate *ret)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	/* An image that somebody else put there may lead anywhere. */
	if (!bc_image_read(dir, registry->force.policy_fd, &image, NULL) && !bc_decompile(&image, &policy, NULL))
		bc_gate_needs(&image, ret);
	else
		memset(ret, 0xff, sizeof(*ret));
}

/* The programs look there no more, and the ring goes with its last user. */
static void clear_place(const char *dir, const struct registry *registry, uint32_t number)
{
	uint32_t bits = BC_WATCH(number) | BC_WATCH_ALL(number);
	struct bc_gate needs;

	memset(&needs, 0xff, sizeof(needs));
	if (bc_gate_watched(&registry->force) & BC_WATCH_ALL(number))
		read_needs(dir, registry, &needs);
	(void)bc_gate_watch(&registry->force, 0, bits, &needs, NULL);
	(void)bpf_map_delete_elem(registry->rings_fd, &number);
}

static void sweep(const char *dir, const struct registry *registry)
{
	char path[BC_PIN_MAX];

	for (uint32_t number = 0; number < BC_READERS; number++) {
		_cleanup_close_ int fd = -1;

		if (bc_pin_reader_path(path, dir, number, NULL))
			continue;
		fd = lock_place(path);
		if (fd < 0)
			continue;
		clear_place(dir, registry, number);
		rmdir(path);
	}
}

void bc_readers_sweep(const char *dir)
{
	_cleanup_(registry_done) struct registry registry = REGISTRY_NONE;

	if (!open_registry(dir, &registry, NULL))
		sweep(dir, &registry);
}

/* A free place, locked. */
static int take_place(const char *dir, struct bc_reader_place *place, struct bc_error *reterr)
{
	char path[BC_PIN_MAX];

	for (uint32_t number = 0; number < BC_READERS; number++) {
		int r = bc_pin_reader_path(path, dir, number, reterr);

		if (r)
			return r;
		if (mkdir(path, 0700)) {
			if (errno == EEXIST)
				continue;
			return bc_fail_errno(reterr, -errno, "cannot create %s", path);
		}
		place->number = number;
		place->lock_fd = lock_place(path);
		if (place->lock_fd >= 0)
			return 0;
		return bc_fail_errno(reterr, place->lock_fd, "cannot lock %s", path);
	}
	return bc_fail(reterr, -EBUSY,
		       "%u processes read events already, and more cannot; end a bindctl monitor or learn", BC_READERS);
}

static int write_down(const struct registry *registry, const struct bc_reader_place *place, int ring_fd, bool all,
		      uint32_t rate, struct bc_error *reterr)
{
	const struct bc_reader reader = { .rate = rate };
	const struct bc_gate unused = {};

	if (bpf_map_update_elem(registry->readers_fd, &place->number, &reader, BPF_ANY) ||
	    bpf_map_update_elem(registry->rings_fd, &place->number, &ring_fd, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write the BPF maps of readers");
	return bc_gate_watch(&registry->force, BC_WATCH(place->number) | (all ? BC_WATCH_ALL(place->number) : 0), 0,
			     &unused, reterr);
}

int bc_reader_enter(const char *dir, int ring_fd, bool all, uint32_t rate, struct bc_reader_place *ret,
		    struct bc_error *reterr)
{
	_cleanup_(registry_done) struct registry registry = REGISTRY_NONE;
	struct bc_reader_place place = BC_READER_NOWHERE;
	_cleanup_close_ int lock_fd = -1;
	char path[BC_PIN_MAX];
	int r = bc_pins_require(dir, reterr);

	if (!r)
		r = bc_lock_directory(dir, NULL, &lock_fd, reterr);
	if (!r)
		r = open_registry(dir, &registry, reterr);
	if (r)
		return r;
	sweep(dir, &registry);
	r = take_place(dir, &place, reterr);
	if (r)
		return r;
	r = write_down(&registry, &place, ring_fd, all, rate, reterr);
	if (r) {
		clear_place(dir, &registry, place.number);
		if (!bc_pin_reader_path(path, dir, place.number, NULL))
			rmdir(path);
		bc_closep(&place.lock_fd);
		return r;
	}
	place.rings_id = registry.rings_id;
	place.readers_fd = TAKE_FD(registry.readers_fd);
	*ret = place;
	return 0;
}

void bc_reader_leave(const char *dir, struct bc_reader_place *place)
{
	_cleanup_(registry_done) struct registry registry = REGISTRY_NONE;
	_cleanup_close_ int lock_fd = -1;
	char path[BC_PIN_MAX];

	if (place->lock_fd < 0)
		return;
	/* Where this fails, the lock's end says that the place is free. */
	if (bc_reader_is_served(dir, place) && !bc_lock_directory(dir, NULL, &lock_fd, NULL) &&
	    !open_registry(dir, &registry, NULL)) {
		clear_place(dir, &registry, place->number);
		if (!bc_pin_reader_path(path, dir, place->number, NULL))
			rmdir(path);
	}
	bc_closep(&place->lock_fd);
	bc_closep(&place->readers_fd);
}

bool bc_reader_is_served(const char *dir, const struct bc_reader_place *place)
{
	_cleanup_close_ int fd = -1;
	struct stat mine, there;
	char path[BC_PIN_MAX];
	uint32_t id;

	/* All of it may have been unloaded and loaded again meanwhile. */
	return !bc_pin_reader_path(path, dir, place->number, NULL) && !stat(path, &there) &&
	       !fstat(place->lock_fd, &mine) && there.st_ino == mine.st_ino && there.st_dev == mine.st_dev &&
	       !bc_pin_open_map(dir, BC_PIN_RINGS, BPF_MAP_TYPE_ARRAY_OF_MAPS, &fd, &id, NULL) && id == place->rings_id;
}

int bc_reader_losses(const struct bc_reader_place *place, struct bc_reader *ret, struct bc_error *reterr)
{
	if (bpf_map_lookup_elem(place->readers_fd, &place->number, ret))
		return bc_fail_errno(reterr, -errno, "cannot read the BPF map of readers");
	return 0;
}
