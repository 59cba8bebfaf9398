// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/current.h"
#include "kernel/pin.h"

/* Opens the pin if that is what it holds; else -ENOENT. */
static int open_pin(const char *dir, const char *name, uint32_t wanted)
{
	_cleanup_close_ int fd = -1;
	uint32_t id = 0;
	int r = bc_pin_open_map(dir, name, BPF_MAP_TYPE_ARRAY, &fd, &id, NULL);

	if (r == -EBADMSG || (!r && id != wanted))
		return -ENOENT;
	return r ? r : TAKE_FD(fd);
}

static int open_either(const char *dir, uint32_t id)
{
	int fd = open_pin(dir, BC_PIN_IMAGE, id);

	return fd == -ENOENT ? open_pin(dir, BC_PIN_IMAGE_NEW, id) : fd;
}

bool bc_current_is_unpinned(const char *dir)
{
	_cleanup_close_ int policy_fd = -1, fd = -1;
	const uint32_t slot = 0;
	uint32_t id;

	if (bc_pin_open_map(dir, BC_PIN_POLICY, BPF_MAP_TYPE_ARRAY_OF_MAPS, &policy_fd, NULL, NULL) ||
	    bpf_map_lookup_elem(policy_fd, &slot, &id))
		return false;
	fd = open_either(dir, id);
	return fd == -ENOENT;
}

static int open_id(const char *dir, uint32_t id)
{
	int fd = open_either(dir, id);

	/* libbpf returns -errno. */
	return fd == -ENOENT ? bpf_map_get_fd_by_id(id) : fd;
}

int bc_current_open(const char *dir, int policy_fd, int *ret_fd, uint32_t *ret_id, struct bc_error *reterr)
{
	const uint32_t slot = 0;
	int fd = -EBUSY;

	/* One that is replaced between the two calls is gone, and without privilege cannot be told from one unpinned. */
	for (int tries = 0; tries < 100; tries++) {
		if (bpf_map_lookup_elem(policy_fd, &slot, ret_id))
			return errno == ENOENT ? bc_fail(reterr, -ENOENT, "no policy is in force; run: bindctl load") :
						 bc_fail_errno(reterr, -errno, "cannot read which policy is in force");
		fd = open_id(dir, *ret_id);
		if (fd >= 0) {
			*ret_fd = fd;
			return 0;
		}
		if (fd != -ENOENT && fd != -EPERM)
			break;
	}
	if (fd == -ENOENT)
		return bc_fail(reterr, -EBUSY, "the policy in force is being replaced all the time; try again");
	if (fd == -EPERM)
		return bc_fail(reterr, fd,
			       "the policy in force (BPF map %u) has no pin in %s; to open it without takes root or "
			       "CAP_SYS_ADMIN",
			       *ret_id, dir);
	return bc_fail_errno(reterr, fd, "cannot open the policy in force (BPF map %u)", *ret_id);
}

int bc_current_announce(const char *dir, int policy_fd, int image_fd, struct bc_error *reterr)
{
	_cleanup_close_ int left = -1;
	const uint32_t slot = 0;
	char path[BC_PIN_MAX];
	uint32_t id;
	int r = bc_pin_path(path, dir, BC_PIN_IMAGE_NEW, reterr);

	if (r)
		return r;
	if (!bpf_map_lookup_elem(policy_fd, &slot, &id))
		left = open_pin(dir, BC_PIN_IMAGE_NEW, id);
	r = left < 0 ? bc_pin_remove(dir, BC_PIN_IMAGE_NEW, reterr) : bc_current_settle(dir);
	if (r && left >= 0)
		return bc_fail_errno(reterr, r, "cannot rename %s", path);
	if (!r && bpf_obj_pin(image_fd, path))
		r = bc_fail_errno(reterr, -errno, "cannot pin %s", path);
	return r;
}

int bc_current_settle(const char *dir)
{
	char from[BC_PIN_MAX], to[BC_PIN_MAX];
	int r = bc_pin_path(from, dir, BC_PIN_IMAGE_NEW, NULL) ?: bc_pin_path(to, dir, BC_PIN_IMAGE, NULL);

	if (!r && rename(from, to))
		r = -errno;
	return r;
}

void bc_current_forget(const char *dir)
{
	bc_pin_remove(dir, BC_PIN_IMAGE_NEW, NULL);
}
