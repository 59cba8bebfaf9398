// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * systemd managers that are made up: D-Bus servers in child processes, on sockets below a root of the test's own. The
 * user is another than root, or when nobody is root, whoever runs the test.
 */
#ifndef BINDCTL_FAKE_SYSTEMD_H
#define BINDCTL_FAKE_SYSTEMD_H

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "host/systemd.h"
#include "host/userside.h"
#include "unit.h"

#define UNIT_PATH "/org/freedesktop/systemd1/unit/"

/* A unit as a manager tells of it. What is NULL is "". */
struct fake {
	const char *name, *cgroup, *slice, *id, *load, *file, *active, *dropin;
};

enum behaviour {
	ANSWERS,
	REFUSES,     /* every call, with an error */
	HANGS,	     /* accepts, and nothing more */
	NEVER_CALLS, /* authenticates, and answers no call */
	FLOODS,	     /* answers a call with signals without end */
	BREAKS,	     /* closes the connection at the second call */
};

/* What managers have seen, shared with them. */
struct seen {
	int connections;
	uid_t uid; /* of who was the last to connect */
	int files;
	int group; /* the first of the further ones, -1 for none */
	unsigned long long capabilities;
};

struct fixture {
	char root[64];
	uid_t uid;
	char prefix[128]; /* of the user's subtree */
	struct bc_systemd systemd;
	struct seen *seen;
	pid_t managers[4];
	size_t nmanagers;
};

struct manager {
	const struct fake *units;
	size_t n;
	enum behaviour behaviour;
	bool is_bus; /* a message bus wants a Hello, and a manager's own socket does not */
	bool greeted;
	struct seen *seen;
	int calls;
};

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static inline int reply_property(sd_bus_message *message, const struct fake *unit, const char *interface,
				 const char *name)
{
	const char *dot = strrchr(unit->name, '.'), *type = interface + strlen("org.freedesktop.systemd1.");
	bool common = !strcmp(type, "Unit");
	const char *value;

	/* Each property is on its own interface only. */
	if (!common && (*type != dot[1] - 'a' + 'A' || strcmp(type + 1, dot + 2)))
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_UNKNOWN_INTERFACE, "%s", interface);
	if (common && !strcmp(name, "DropInPaths"))
		return sd_bus_reply_method_return(message, "v", "as", unit->dropin ? 1 : 0, unit->dropin);
	if (common && !strcmp(name, "LoadState"))
		value = unit->load ? unit->load : "loaded";
	else if (common && !strcmp(name, "Id"))
		value = unit->id ? unit->id : unit->name;
	else if (common && !strcmp(name, "FragmentPath"))
		value = or_empty(unit->file);
	else if (common && !strcmp(name, "ActiveState"))
		value = unit->active ? unit->active : "inactive";
	else if (!common && !strcmp(name, "ControlGroup"))
		value = or_empty(unit->cgroup);
	else if (!common && !strcmp(name, "Slice"))
		value = or_empty(unit->slice);
	else
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_UNKNOWN_PROPERTY, "%s", name);
	return sd_bus_reply_method_return(message, "v", "s", value);
}

static inline void flood(sd_bus *bus)
{
	static char text[1 << 20];

	memset(text, 'x', sizeof(text) - 1);
	while (sd_bus_emit_signal(bus, "/x", "x.y", "Z", "s", text) >= 0 && sd_bus_flush(bus) >= 0)
		;
}

/* A unit's path ends with its number; one behind the last is for all that there are not. */
static inline int on_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
	static const struct fake none = { .name = "none.service", .load = "not-found" };
	struct manager *manager = data;
	const char *first, *second, *path = sd_bus_message_get_path(message);
	char unit[64];
	size_t i = 0;

	(void)error;
	if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus", "Hello") && manager->is_bus) {
		manager->greeted = true;
		return sd_bus_reply_method_return(message, "s", ":1.1");
	}
	if (manager->is_bus != manager->greeted)
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_FAILED, "no Hello");
	if (manager->behaviour == REFUSES)
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_ACCESS_DENIED, "no");
	if (manager->behaviour == BREAKS && ++manager->calls % 2 == 0)
		return -ECONNRESET;
	if (manager->behaviour == FLOODS)
		flood(sd_bus_message_get_bus(message));
	if (manager->behaviour == NEVER_CALLS || manager->behaviour == FLOODS)
		return 1;
	if (sd_bus_message_is_method_call(message, NULL, "LoadUnit")) {
		if (sd_bus_message_read(message, "s", &first) < 0)
			return -EBADMSG;
		while (i < manager->n && strcmp(manager->units[i].name, first))
			i++;
		snprintf(unit, sizeof(unit), UNIT_PATH "%zu", i);
		return sd_bus_reply_method_return(message, "o", unit);
	}
	if (sd_bus_message_read(message, "ss", &first, &second) < 0)
		return -EBADMSG;
	i = strtoul(path + strlen(UNIT_PATH), NULL, 10);
	return reply_property(message, i < manager->n ? &manager->units[i] : &none, first, second);
}

static inline void serve(int fd, struct manager *manager)
{
	sd_bus *bus = NULL;
	int r;

	if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 || sd_bus_set_server(bus, 1, (sd_id128_t){}) < 0 ||
	    sd_bus_add_filter(bus, NULL, on_message, manager) < 0 || sd_bus_start(bus) < 0)
		_exit(2);
	do {
		r = sd_bus_process(bus, NULL);
		if (!r)
			r = sd_bus_wait(bus, UINT64_MAX);
	} while (r >= 0);
	sd_bus_close(bus);
	sd_bus_unref(bus);
}

static inline int count_files(pid_t pid)
{
	char path[64];
	int n = 0;

	/* No process here has a higher one. */
	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		n += !faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW);
	}
	return n;
}

/* Who asks, and what that process may do. */
static inline void look_at_client(int fd, struct seen *seen)
{
	struct ucred peer = {};
	socklen_t len = sizeof(peer);
	char path[64], line[256];
	FILE *status;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	seen->connections++;
	seen->uid = peer.uid;
	seen->files = count_files(peer.pid);
	seen->group = -1;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)peer.pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		sscanf(line, "CapPrm: %llx", &seen->capabilities);
		sscanf(line, "Groups: %d", &seen->group);
	}
	if (status)
		fclose(status);
}

static inline _Noreturn void run_manager(int listener, uid_t uid, struct manager *manager)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			_exit(2);
		look_at_client(fd, manager->seen);
		if (manager->behaviour == HANGS)
			continue;
		/* sd-bus lets nobody in but root and its own user. */
		if (seteuid(uid))
			_exit(2);
		serve(fd, manager);
		if (seteuid(getuid()))
			_exit(2);
	}
}

static inline void make_directories(const char *path)
{
	char copy[256];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			fail_msg("%s: %s", copy, strerror(errno));
		*slash = '/';
	}
}

static const char *below_root(const struct fixture *f, const char *path)
{
	static char full[256];

	snprintf(full, sizeof(full), "%s%s", f->root, path);
	make_directories(full);
	return full;
}

static inline void put(const struct fixture *f, const char *path)
{
	int fd = open(below_root(f, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static inline void start_at(struct fixture *f, const char *path, uid_t uid, enum behaviour behaviour,
			    const struct fake *units, size_t n)
{
	struct manager manager = { .units = units, .n = n, .behaviour = behaviour, .seen = f->seen };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pid_t pid;

	manager.is_bus = strstr(path, "bus_socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", below_root(f, path));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(chmod(address.sun_path, 0666), 0);
	assert_int_equal(listen(listener, 16), 0);
	pid = fork();
	if (!pid)
		run_manager(listener, uid, &manager);
	close(listener);
	assert_true(pid > 0 && f->nmanagers < ARRAY_SIZE(f->managers));
	f->managers[f->nmanagers++] = pid;
}

static inline void boot(const struct fixture *f)
{
	below_root(f, "/run/systemd/system/");
}

#define START_SYSTEM(f, ...)                                                                         \
	({                                                                                           \
		static const struct fake _units[] = { __VA_ARGS__ };                                 \
		boot(f);                                                                             \
		start_at(f, "/run/systemd/private", geteuid(), ANSWERS, _units, ARRAY_SIZE(_units)); \
	})

static inline void start_user(struct fixture *f, enum behaviour behaviour, const struct fake *units, size_t n)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/user/%u/systemd/private", f->uid);
	start_at(f, path, f->uid, behaviour, units, n);
}

#define START_USER(f, ...)                                          \
	({                                                          \
		const struct fake _units[] = { __VA_ARGS__ };       \
		start_user(f, ANSWERS, _units, ARRAY_SIZE(_units)); \
	})

static inline void stop_managers(struct fixture *f)
{
	for (size_t i = 0; i < f->nmanagers; i++) {
		kill(f->managers[i], SIGKILL);
		waitpid(f->managers[i], NULL, 0);
	}
	f->nmanagers = 0;
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->root, "/tmp/bindctl-systemd-XXXXXX");
	if (!mkdtemp(f->root) || chmod(f->root, 0755))
		return -1;
	umask(022);
	f->uid = geteuid() ? geteuid() : 1;
	snprintf(f->prefix, sizeof(f->prefix), "/user.slice/user-%u.slice/user@%u.service", f->uid, f->uid);
	f->systemd.root = f->root;
	f->seen = mmap(NULL, sizeof(*f->seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = f;
	return f->seen == MAP_FAILED ? -1 : 0;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	bc_systemd_done(&f->systemd);
	stop_managers(f);
	r = nftw(f->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	munmap(f->seen, sizeof(*f->seen));
	free(f);
	return r;
}

static inline void assert_unit(struct fixture *f, const char *name, uid_t uid, const char *path, bool known)
{
	_cleanup_free_ char *found = NULL;
	bool is_known = !known;
	int r = bc_systemd_unit(&f->systemd, name, uid, &found, &is_known);

	if (r)
		fail_msg("%s: %s", name, strerror(-r));
	if (strcmp(found, path) || is_known != known)
		fail_msg("%s: %s, %s, not %s, %s", name, found, is_known ? "known" : "unknown", path,
			 known ? "known" : "unknown");
}

/* A path below the user's manager. */
static inline void assert_users(struct fixture *f, const char *name, const char *below)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", f->prefix, below);
	assert_unit(f, name, f->uid, path, true);
}

static inline void assert_fails(struct fixture *f, const char *name, int error)
{
	char *path = (char *)name;
	bool known = true;

	assert_int_equal(bc_systemd_unit(&f->systemd, name, BC_NO_USER, &path, &known), error);
	assert_ptr_equal(path, name);
	assert_true(known);
}

static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
