// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../unit/random.h"
#include "authtree.h"

const uint32_t authtree_users[4] = { 12341, 12342, 12343, 12344 };
const uint32_t authtree_groups[3] = { 22001, 22002, 22003 };
const uint16_t authtree_ports[9] = { 1, 80, 81, 511, 512, 600, 601, 1023, 79 };
const char *const authtree_addrs[10] = {
	"0.0.0.0", "127.0.0.1", "10.0.0.1", "10.0.0.2",	     "192.168.7.9",
	"::",	   "::1",	"fd00::1",  "fd00:0:0:1::1", "2001:db8:1:2:3:4:5:6",
};

/* Other names for what files may be named after. */
static const char *const names[] = {
	"fd00:0:0:0:0:0:0:1",
	"fd00:0:0:1:0:0:0:1",
	"0:0:0:0:0:0:0:0",
	"0:0:0:0:0:0:0:1",
	"FD00::1",
	"::ffff:10.0.0.1",
	"0::1",
	"010.0.0.1",
};

static const char *const lines[] = {
	/* V: an IPv4 address, W: an IPv6 one, P and Q: ports, L: a length */
	"V,P",
	"W,P",
	"V/32:P,Q",
	"W/128,P-Q",
	"V/L,P",
	"W/L,P",
	"0.0.0.0/0:P,Q",
	"0.0.0.0/0,P-Q",
	"::/0,P-Q",
	"::/0,1-1023",
	"0.0.0.0/0,1-1023",
	"10.0.0.0/8:1,1023",
	"10.0.0.0-V,P",
	"10.0.0.1-200.0.0.0,P-Q",
	"::-W,P-Q",
	"W-ffff::,P",
	"fd00::/16,P",
	"  V/32: P, Q ",
	" V,P",
	"V, P -Q",
	"V, +P- Q",
	"V,P--5",
	"V,-P",
	"V/ 32 ,P",
	"V/32/1,P",
	"V/33:1,1023",
	"W/129,P",
	"V/-1,P",
	"1.2.3.4/0:P,Q",
	"0.0.0.0/0:1,65536",
	"0.0.0.0/0,1-65536",
	"0.0.0.0/0:4294967297,1023",
	"+10.+0.0.+1/32:P,Q",
	"# V,P",
	"V:P",
	"V,P,Q",
	"V,P # no comment",
	"",
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	return walk->level && remove(path) ? -1 : 0;
}

static void need(bool done)
{
	if (!done)
		abort();
}

static void tell(struct bc_text *told, const char *path)
{
	struct stat st = {};

	if (stat(path, &st))
		bc_text_addf(told, "# %s leads nowhere\n", path);
	else
		bc_text_addf(told, "# %s: %o %u:%u\n", path, st.st_mode, st.st_uid, st.st_gid);
}

static void write_file(const char *path, const char *text, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	need(fd >= 0 && !bc_write_all(fd, text, len));
}

/* Entries in the kernel's order, of the owner, some users, the group, some groups, the mask and the others. */
static void set_acl(uint64_t *state, const char *path)
{
	struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[12];
	} acl = { .version = htole32(2) };
	unsigned n = 0;

	for (unsigned tag = 1; tag <= 32; tag <<= 1) {
		const uint32_t *ids = tag == 2 ? authtree_users : authtree_groups;
		unsigned named = tag == 2 ? 4 : tag == 8 ? 3 : 1;

		for (unsigned i = 0; i < named; i++) {
			if ((tag == 2 || tag == 8) && random_below(state, 2))
				continue;
			acl.entries[n].tag = htole16(tag);
			acl.entries[n].permissions = htole16(random_below(state, 8));
			acl.entries[n++].id = htole32(tag == 2 || tag == 8 ? ids[i] : ~0u);
		}
	}
	/* Where the file system has none, they are not tested. */
	setxattr(path, "system.posix_acl_access", &acl, 4 + n * 8, 0);
}

static void make_file(uint64_t *state, const char *path, struct bc_text *told)
{
	uint32_t mode = 0444, user = random_below(state, 5), group = random_below(state, 4);

	unlink(path);
	rmdir(path);
	switch (random_below(state, 16)) {
	case 0:
		need(!mkdir(path, 0700));
		break;
	case 1:
		need(!symlink("nothing", path));
		break;
	case 2:
		need(!symlink(path, path));
		break;
	case 3:
		need(!symlink(AUTHTREE_DIR "/other", path));
		break;
	default:
		write_file(path, "", 0);
	}
	for (unsigned bit = 0100; bit; bit >>= 3)
		mode |= random_below(state, 2) ? bit : 0;
	if (!lchown(path, user < 4 ? authtree_users[user] : 0, group < 3 ? authtree_groups[group] : 0))
		chmod(path, mode);
	if (!random_below(state, 6))
		set_acl(state, path);
	tell(told, path);
}

static void name_port(uint64_t *state, struct bc_text *path)
{
	unsigned port = authtree_ports[random_below(state, ARRAY_SIZE(authtree_ports))];
	bool right = random_below(state, 10);

	bc_text_addf(path, "%s%s%u", (port >= 512) == right ? "!" : "", random_below(state, 16) ? "" : "0", port);
}

static void make_byport(uint64_t *state, struct bc_text *told)
{
	for (unsigned n = random_below(state, 4); n; n--) {
		_cleanup_(bc_text_done) struct bc_text path = {};

		bc_text_addf(&path, AUTHTREE_DIR "/byport/");
		name_port(state, &path);
		make_file(state, path.data, told);
	}
}

static void make_byaddr(uint64_t *state, struct bc_text *told)
{
	for (unsigned n = random_below(state, 6); n; n--) {
		_cleanup_(bc_text_done) struct bc_text path = {};
		unsigned port = authtree_ports[random_below(state, ARRAY_SIZE(authtree_ports))],
			 which = random_below(state, ARRAY_SIZE(authtree_addrs) + 4);
		const char *addr = which < ARRAY_SIZE(authtree_addrs) ? authtree_addrs[which] :
									names[random_below(state, ARRAY_SIZE(names))];

		bc_text_addf(&path, AUTHTREE_DIR "/byaddr/%s%s%s%u",
			     (port >= 512) == !!random_below(state, 10) ? "!" : "", addr,
			     random_below(state, 3) ? "," : ":", port);
		make_file(state, path.data, told);
	}
}

static void make_line(uint64_t *state, struct bc_text *text)
{
	const char *v4 = authtree_addrs[random_below(state, AUTHTREE_V4)],
		   *v6 = authtree_addrs[AUTHTREE_V4 + random_below(state, ARRAY_SIZE(authtree_addrs) - AUTHTREE_V4)];
	unsigned first = authtree_ports[random_below(state, 8)], last = authtree_ports[random_below(state, 8)];
	unsigned bits = random_below(state, 2) ? 32 : random_below(state, 129);

	last = random_below(state, 4) ? first + 2 : last;
	/* Longer than the helper reads at once, so that what is behind is a line to it. */
	if (!random_below(state, 30))
		bc_text_addf(text, "#%*s", (int)(290 + random_below(state, 12)), " ");
	for (const char *at = lines[random_below(state, ARRAY_SIZE(lines))]; *at; at++) {
		if (*at == 'V' || *at == 'W')
			bc_text_addf(text, "%s", *at == 'V' ? v4 : v6);
		else if (*at == 'P' || *at == 'Q' || *at == 'L')
			bc_text_addf(text, "%u", *at == 'P' ? first : *at == 'Q' ? last : bits);
		else
			bc_text_add(text, at, 1);
	}
	bc_text_addf(text, "\n");
}

static void make_byuid(uint64_t *state, struct bc_text *told)
{
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(authtree_users); i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		char path[128];

		if (!random_below(state, 3))
			continue;
		for (unsigned n = 1 + random_below(state, 5); n; n--)
			make_line(state, &text);
		snprintf(path, sizeof(path), AUTHTREE_DIR "/byuid/%s%u", i % 2 ? "!" : "", authtree_users[i / 2]);
		write_file(path, text.data, text.len - !random_below(state, 4));
		/* The helper reads it as root. */
		chmod(path, 0600);
		tell(told, path);
		bc_text_add(told, text.data, text.len);
	}
}

/* Mostly as Debian has it. */
static void make_place(uint64_t *state, const char *path, struct bc_text *told)
{
	static const uint16_t modes[] = { 0700, 0750, 0711, 0555, 0705 };

	mkdir(path, 0755);
	need(!chown(path, 0, authtree_groups[0]));
	need(!chmod(path, random_below(state, 32) ? 0755 : modes[random_below(state, ARRAY_SIZE(modes))]));
	tell(told, path);
}

void authtree_make(uint64_t *state, struct bc_text *ret_told)
{
	static const char *const places[] = { AUTHTREE_DIR, AUTHTREE_DIR "/byport", AUTHTREE_DIR "/byaddr",
					      AUTHTREE_DIR "/byuid" };

	need(!nftw(AUTHTREE_DIR, remove_one, 16, FTW_DEPTH | FTW_PHYS));
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		make_place(state, places[i], ret_told);
	make_file(state, AUTHTREE_DIR "/other", ret_told);
	make_byport(state, ret_told);
	make_byaddr(state, ret_told);
	make_byuid(state, ret_told);
	/* Sometimes one of the directories is not there, or a file. */
	if (!random_below(state, 24)) {
		const char *path = places[1 + random_below(state, 2)];

		need(!nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && !rmdir(path));
		if (random_below(state, 2))
			write_file(path, "", 0);
		tell(ret_told, path);
	}
}
