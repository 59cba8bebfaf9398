// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "bindctl/abi.h"
#include "kernel/pin.h"

int bc_pin_path(char *path, const char *dir, const char *name, struct bc_error *reterr)
{
	if (snprintf(path, BC_PIN_MAX, "%s/%s", dir, name) >= BC_PIN_MAX)
		return bc_fail(reterr, -ENAMETOOLONG, "the path of the pins is longer than %d bytes", BC_PIN_MAX - 1);
	return 0;
}

static int is_empty(const char *dir)
{
	DIR *open = opendir(dir);
	struct dirent *entry;
	int empty = 1;

	if (!open)
		return -errno;
	/* What cannot be read is not empty: something of ours may be in force there. */
	for (errno = 0; empty == 1 && (entry = readdir(open)); errno = 0)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			empty = 0;
	if (empty == 1 && errno)
		empty = -errno;
	closedir(open);
	return empty;
}

static int read_schema(int fd, struct bc_schema *ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), key = 0;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(*ret))
		return -EEXIST;
	return bpf_map_lookup_elem(fd, &key, ret) ? -errno : 0;
}

int bc_pins_check(const char *dir, struct bc_error *reterr)
{
	struct bc_schema schema = {};
	_cleanup_close_ int fd = -1;
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, BC_PIN_SCHEMA, reterr);

	if (r)
		return r;
	r = is_empty(dir);
	if (r == -ENOENT || r == 1)
		return BC_PINS_ABSENT;
	if (r < 0)
		return bc_fail_errno(reterr, r, "cannot read %s", dir);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return bc_fail(reterr, -EEXIST, "%s holds something that bindctl did not put there; give another --pin",
			       dir);
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	r = read_schema(fd, &schema);
	if (r == -EEXIST || (!r && schema.magic != BC_MAGIC))
		return bc_fail(reterr, -EEXIST, "%s was not made by bindctl; give another --pin", path);
	if (r)
		return bc_fail_errno(reterr, r, "cannot read %s", path);
	if (schema.schema != BC_SCHEMA)
		return bc_fail(
			reterr, -EPROTO,
			"the pins in %s have schema %u, made by %s bindctl; this one has %u; unload them with that one",
			dir, schema.schema, schema.schema > BC_SCHEMA ? "a newer" : "an older", BC_SCHEMA);
	return BC_PINS_OURS;
}

int bc_pins_make_directory(const char *dir, struct bc_error *reterr)
{
	if (mkdir(dir, 0700) && errno != EEXIST)
		return bc_fail_errno(reterr, -errno, "cannot create %s", dir);
	return 0;
}

int bc_pins_mark(const char *dir, struct bc_error *reterr)
{
	const struct bc_schema schema = { .magic = BC_MAGIC, .schema = BC_SCHEMA };
	_cleanup_close_ int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_schema", sizeof(uint32_t), sizeof(schema), 1, NULL);
	char path[BC_PIN_MAX];
	uint32_t key = 0;
	int r = bc_pin_path(path, dir, BC_PIN_SCHEMA, reterr);

	if (r)
		return r;
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot create a BPF map");
	if (bpf_map_update_elem(fd, &key, &schema, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write the schema's BPF map");
	if (bpf_obj_pin(fd, path))
		return bc_fail_errno(reterr, -errno, "cannot pin %s", path);
	return 0;
}

static int open_schema(const char *dir, int *ret_fd, struct bc_schema *ret, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, BC_PIN_SCHEMA, reterr);

	if (r)
		return r;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	r = read_schema(fd, ret);
	if (r)
		return bc_fail_errno(reterr, r, "cannot read %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bc_pins_features(const char *dir, uint32_t *ret_features, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	struct bc_schema schema = {};
	int r = open_schema(dir, &fd, &schema, reterr);

	if (!r)
		*ret_features = schema.features;
	return r;
}

int bc_pins_set_features(const char *dir, uint32_t features, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	struct bc_schema schema = {};
	uint32_t key = 0;
	int r = open_schema(dir, &fd, &schema, reterr);

	if (r || schema.features == features)
		return r;
	schema.features = features;
	if (bpf_map_update_elem(fd, &key, &schema, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write %s/%s", dir, BC_PIN_SCHEMA);
	return 0;
}

int bc_pin_open_map(const char *dir, const char *name, uint32_t type, int *ret_fd, uint32_t *ret_id,
		    struct bc_error *reterr)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, name, reterr);

	if (r)
		return r;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != type)
		return bc_fail(reterr, -EBADMSG, "%s is not what bindctl pinned there; was it replaced?", path);
	*ret_fd = TAKE_FD(fd);
	if (ret_id)
		*ret_id = info.id;
	return 0;
}

int bc_pin_remove(const char *dir, const char *name, struct bc_error *reterr)
{
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, name, reterr);

	if (r)
		return r;
	if (unlink(path) && errno != ENOENT)
		return bc_fail_errno(reterr, -errno, "cannot remove %s", path);
	return 0;
}
