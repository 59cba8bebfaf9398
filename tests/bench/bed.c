// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "../tidy.h"
#include "bench.h"
#include "kernel/programs.h"
#include "host/mounts.h"

struct bench bench;

static const char *const place_words[MADE] = { [NO_HOOK] = "none", [EMPTY_HOOK] = "empty", [OURS] = "ours" };

void fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bench: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Namespaces that end with this process: what is mounted or pinned in them needs no removal. */
static void make_namespaces(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	char bpf[80];
	int fd;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET))
		fail("unshare: %m");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		fail("cannot bring up lo: %m");
	close(fd);
	snprintf(bpf, sizeof(bpf), "%s/bpf", bench.dir);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mkdir(bpf, 0700) || mount("bpf", bpf, "bpf", 0, NULL))
		fail("cannot mount a bpffs: %m");
}

static void make_places(void)
{
	_cleanup_free_ char *root = NULL;
	struct bc_error error;

	if (bc_find_cgroup2(&root, &error))
		fail("%s", error.text);
	strcpy(bench.dir, "/tmp/bindctl-bench.XXXXXX");
	if (!mkdtemp(bench.dir) || chmod(bench.dir, 0711))
		fail("cannot make %s: %m", bench.dir);
	snprintf(bench.name, sizeof(bench.name), "%s", strrchr(bench.dir, '/') + 1);
	snprintf(bench.pins, sizeof(bench.pins), "%s/bpf/pins", bench.dir);
	snprintf(bench.policy, sizeof(bench.policy), "%s/policy", bench.dir);
	if (mkdir(bench.policy, 0755))
		fail("cannot make %s: %m", bench.policy);
	for (enum place place = 0; place < MADE; place++) {
		snprintf(bench.cgroups[place], sizeof(bench.cgroups[place]), "%s/%s.%s", root, bench.name,
			 place_words[place]);
		if (mkdir(bench.cgroups[place], 0755))
			fail("cannot make %s: %m", bench.cgroups[place]);
	}
	bench.instance = (struct bc_instance){ .pins = bench.pins, .cgroup = bench.cgroups[OURS] };
}

/* The limit of what a program at this hook can cost: permits, and looks at nothing. The link, which holds it. */
static int attach_empty(enum bpf_attach_type type)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 3 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "empty", "GPL", insns, ARRAY_SIZE(insns), &opts);
	int link = fd < 0 ? -1 : bpf_link_create(fd, bench.cgroup_fds[EMPTY_HOOK], type, NULL);

	if (link < 0)
		fail("cannot attach the empty program: %m");
	close(fd);
	return link;
}

static void open_places(void)
{
	struct bc_error error;

	for (enum place place = 0; place < MADE; place++)
		if (bc_open_cgroup(bench.cgroups[place], &bench.cgroup_fds[place], &error))
			fail("%s", error.text);
}

void bed_load(void)
{
	static int links[2] = { -1, -1 };
	static unsigned times;
	struct bc_error error;

	for (unsigned i = 0; i < ARRAY_SIZE(links); i++)
		bc_closep(&links[i]);
	bc_force_done(&bench.force);
	if (times)
		BINDCTL("unload");
	/* Who comes first finds other places free. */
	if (times++ % 2)
		BINDCTL("load");
	links[0] = attach_empty(BPF_CGROUP_INET4_BIND);
	links[1] = attach_empty(BPF_CGROUP_INET6_BIND);
	BINDCTL("load");
	if (bc_force_open(bench.pins, &bench.force, &error))
		fail("%s", error.text);
}

void bed_attach(uint32_t features)
{
	_cleanup_(bc_programs_freep) struct bc_programs *programs = NULL;
	struct bc_error error;

	bc_force_done(&bench.force);
	if (bc_programs_load(bench.pins, BC_SCHEMA, &programs, &error) ||
	    bc_attach(bench.pins, programs, bench.cgroup_fds[OURS], bench.cgroups[OURS], features, &error) ||
	    bc_force_open(bench.pins, &bench.force, &error))
		fail("%s", error.text);
}

static void end_processes(const char *cgroup)
{
	char path[192];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.kill", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		fprintf(stderr, "bench: cannot end the processes in %s: %m\n", cgroup);
	close(fd);
}

/* 0, or what is left behind. */
static int unmake(void)
{
	int left = 0;

	for (enum place place = 0; place < MADE; place++) {
		end_processes(bench.cgroups[place]);
		remove_cgroups(bench.cgroups[place]);
		left |= !access(bench.cgroups[place], F_OK);
	}
	remove_files(bench.policy);
	remove_files(bench.dir);
	return left | !access(bench.dir, F_OK);
}

int bed_run(int (*work)(void))
{
	int status = 1;
	pid_t child;

	make_places();
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_namespaces();
		open_places();
		bench.force = BC_FORCE_NONE;
		bed_load();
		exit(work());
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (child < 0 || waitpid(child, &status, 0) != child)
		fprintf(stderr, "bench: %m\n");
	if (unmake()) {
		fprintf(stderr, "bench: something was left behind: %s\n", bench.dir);
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void bed_write(const char *name, const char *text, size_t len)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", bench.dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || bc_write_all(fd, text, len))
		fail("cannot write %s", path);
	close(fd);
}

uint64_t bed_bindctl(const char *const *argv)
{
	const char *all[32] = { bench.bindctl, "--config", bench.policy,       "--pin",
				bench.pins,    "--cgroup", bench.cgroups[OURS] };
	uint64_t start;
	int status, n = 7;
	pid_t pid;

	for (; *argv; argv++)
		all[n++] = *argv;
	start = now();
	if (posix_spawn(&pid, bench.bindctl, NULL, NULL, (char *const *)all, environ) ||
	    waitpid(pid, &status, 0) != pid)
		fail("cannot run %s: %m", bench.bindctl);
	start = now() - start;
	if (status)
		fail("bindctl %s failed", all[7]);
	return start;
}

static void cgroup_path(char *path, size_t size, enum place place, const char *in)
{
	snprintf(path, size, "%s%s%s", bench.cgroups[place], in && *in ? "/" : "", in ?: "");
}

void cgroup_make(enum place place, const char *in)
{
	char path[512];

	cgroup_path(path, sizeof(path), place, in);
	for (char *slash = path + strlen(bench.cgroups[place]); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			fail("cannot make %s: %m", path);
		*slash = '/';
	}
	if (mkdir(path, 0755) && errno != EEXIST)
		fail("cannot make %s: %m", path);
}

void cgroup_remove(enum place place, const char *in)
{
	char path[512];

	cgroup_path(path, sizeof(path), place, in);
	/* Who left it a moment ago may still be on his way. */
	for (int tries = 0; rmdir(path); tries++)
		if (errno != EBUSY || tries > 10000)
			fail("cannot remove %s: %m", path);
}

void worker_move(const struct worker *worker, enum place place, const char *in)
{
	char path[512], pid[16];
	int fd, len = snprintf(pid, sizeof(pid), "%d", worker->pid);

	cgroup_path(path, sizeof(path), place, in);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/cgroup.procs");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, pid, len) != len)
		fail("cannot join %s: %m", path);
	close(fd);
}
