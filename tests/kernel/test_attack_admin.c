// SPDX-License-Identifier: GPL-2.0-or-later
/* An unprivileged user's attacks on who administers: commands that wait for him, lie because of him, or never end. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"

#define PORT 8443

/* What an attacker does until he is killed: tells that he is ready by a byte to `ready`, and never returns. */
typedef void act(int ready);

static pid_t attackers[64];
static size_t nattackers;

/* Starts it as nobody, in the bed's cgroup. */
static pid_t start(act *attack)
{
	const struct try who = { .uid = NOBODY };
	int ends[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bed_become(&who);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		attack(ends[1]);
		_exit(1);
	}
	assert_true(child > 0 && nattackers < ARRAY_SIZE(attackers));
	attackers[nattackers++] = child;
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

/* Ends them and whatever they have started, which is all in the bed's cgroup. */
static int end_all(void **state)
{
	char path[320];
	FILE *kill_all;

	(void)state;
	snprintf(path, sizeof(path), "%s/cgroup.kill", bed.cgroup);
	kill_all = fopen(path, "w");
	assert_true(kill_all && fputs("1", kill_all) >= 0 && !fclose(kill_all));
	while (nattackers) {
		/* What writes to cgroup.kill passes over a process whose first thread has ended. */
		kill(attackers[--nattackers], SIGKILL);
		waitpid(attackers[nattackers], NULL, 0);
	}
	bed_unload();
	return 0;
}

static void wait_to_be_killed(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Anybody can open the directory of the policy files, and so lock it. */
static void lock_files(int ready)
{
	int fd = open(bed.policy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_SH))
		_exit(1);
	wait_to_be_killed(ready);
}

static void nobody_keeps_administrators_waiting_by_a_lock(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };

	(void)state;
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	for (int i = 0; i < 3; i++)
		start(lock_files);
	assert_int_equal(BINDCTL(NULL, "grant", "nobody", "443", "netns", "any"), 0);
	assert_int_equal(bed_try(&try).error, 0);
	assert_int_equal(BINDCTL(NULL, "revoke", "nobody", "443"), 0);
	assert_int_equal(bed_try(&try).error, EACCES);
}

static int listening_socket(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bed_reuse(fd);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 1))
		_exit(1);
	return fd;
}

#define DECOYS 150

/* Many others that hold the same port's other half, to be read about first. */
static void hold_up(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)))
		_exit(1);
	for (int i = 0; i < DECOYS; i++)
		if (fork() == 0)
			for (;;)
				pause();
	close(fd);
}

/* The socket goes from one process to the next, each of which lives long enough to be met and not to be read about. */
static void hop(int ready)
{
	/* Who has ended is to be gone at once: nobody waits for it. */
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	hold_up();
	if (fork() > 0)
		for (;;)
			pause();
	listening_socket();
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (unsigned n = 0; fork() == 0; n++)
		usleep(1000 * (5 + n % 20));
	_exit(0);
}

/* A thread with files of its own: /proc/PID/fd shows the first thread's. */
static void *keep_apart(void *arg)
{
	if (unshare(CLONE_FILES))
		_exit(1);
	listening_socket();
	if (write(*(int *)arg, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void hide_in_a_thread(int ready)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, keep_apart, &ready))
		_exit(1);
	for (;;)
		pause();
}

/* The first thread has ended, and with it what /proc/PID/fd shows. */
static void hide_behind_the_dead(int ready)
{
	static int kept;
	pthread_t thread;

	kept = ready;
	if (pthread_create(&thread, NULL, keep_apart, &kept))
		_exit(1);
	syscall(SYS_exit, 0);
}

/* In no process's files at all: under way from one end of a pair to the other. */
static void hide_in_a_message(int ready)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	int fd = listening_socket(), ends[2];

	*CMSG_FIRSTHDR(&message) =
		(struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) || sendmsg(ends[0], &message, 0) != 1)
		_exit(1);
	close(fd);
	wait_to_be_killed(ready);
}

/* Nor in anybody's files: a ring has files of its own. */
static void hide_in_a_ring(int ready)
{
	int fd = listening_socket();
	struct io_uring ring;

	/* Without io_uring there is nothing to be seen, and the socket is where it always was. */
	if (!io_uring_queue_init(4, &ring, 0) && !io_uring_register_files(&ring, &fd, 1))
		close(fd);
	wait_to_be_killed(ready);
}

static bool is_listed(struct json_object *holder)
{
	return !strcmp(json_object_get_string(json_object_object_get(holder, "proto")), "tcp") &&
	       json_object_get_int64(json_object_object_get(holder, "uid")) == NOBODY;
}

/* However it hides, the socket is shown, and if not its process then whoever made it; and whether he would be let. */
static void assert_shown(const char *how)
{
	_cleanup_(bc_text_done) struct bc_text out = {};
	struct json_object *document, *holders;
	bool listed = false;

	assert_int_equal(BINDCTL(&out, "holders", "--denied", "--json", "8443"), 0);
	document = json_tokener_parse(out.data);
	holders = json_object_object_get(document, "holders");
	for (size_t i = 0; i < json_object_array_length(holders); i++)
		listed |= is_listed(json_object_array_get_idx(holders, i));
	if (!listed)
		fail_msg("%s: not shown", how);
	json_object_put(document);
}

static void socket_cannot_be_hidden_from_holders(void **state)
{
	static const struct {
		const char *what;
		act *attack;
		int times;
	} ways[] = {
		{ "from one process to the next", hop, 30 },
		{ "in a thread", hide_in_a_thread, 1 },
		{ "behind a dead thread", hide_behind_the_dead, 1 },
		{ "in a message", hide_in_a_message, 1 },
		{ "in a ring", hide_in_a_ring, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		assert_int_equal(BINDCTL(NULL, "unload"), 0);
		start(ways[i].attack);
		bed_policy("deny user nobody port 8443 netns any\n");
		for (int n = 0; n < ways[i].times; n++)
			assert_shown(ways[i].what);
		end_all(NULL);
	}
}

static void listen_as_root_would(int ready)
{
	prctl(PR_SET_NAME, "a  1  root  yes");
	listening_socket();
	wait_to_be_killed(ready);
}

/* In a table a name that has blanks could pass for other columns, and one with a newline for another line. */
static void name_cannot_pass_for_columns(void **state)
{
	_cleanup_(bc_text_done) struct bc_text out = {};
	const char *row;

	(void)state;
	bed_policy("");
	start(listen_as_root_would);
	assert_int_equal(BINDCTL(&out, "holders", "8443"), 0);
	row = strchr(out.data, '\n');
	if (!row || !strstr(row, "  \"a  1  root  yes\"  nobody  ") || strchr(row + 1, '\n') != out.data + out.len - 1)
		fail_msg("%s", out.data);
}

/* Processes, threads, sockets and binds without end. */
static void come_and_go(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (unsigned n = 0;; n++) {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(9000 + n % 1000) };
		int fd = socket(AF_INET6, n % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);
		char name[16];

		snprintf(name, sizeof(name), "\n%u", n);
		prctl(PR_SET_NAME, name);
		bind(fd, (struct sockaddr *)&in6, sizeof(in6));
		listen(fd, 1);
		in6.sin6_port = htons(n % 1000);
		bind(fd, (struct sockaddr *)&in6, sizeof(in6));
		if (n % 8 == 0 && fork() > 0)
			_exit(0);
		close(fd);
	}
}

/* What has not ended by then never will. */
#define HANGS_SECONDS 600

static void commands_end_while_processes_come_and_go(void **state)
{
	static const char *const commands[][6] = {
		{ "grant", "nobody", "443" },
		{ "holders" },
		{ "why" },
		{ "list" },
		{ "status" },
		{ "explain", "--user", "nobody", "--port", "443" },
		{ "metrics" },
		{ "monitor", "--count", "3", "--timeout", "9s" },
		{ "deny", "nobody", "9000" },
		{ "revoke", "nobody", "443" },
		{ "holders", "--denied" },
		{ "apply" },
	};

	(void)state;
	bed_policy("");
	for (int i = 0; i < 4; i++)
		start(come_and_go);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		_cleanup_(bc_text_done) struct bc_text out = {};
		int code;

		alarm(HANGS_SECONDS);
		code = bed_bindctl(&out, commands[i]);
		alarm(0);
		if (code)
			fail_msg("%s: exit %d", commands[i][0], code);
	}
}

/* What whoever starts bindctl hands on to it, sudo or not. */
struct surroundings {
	const char *what;
	int limit; /* RLIMIT_ and what it is set to; -1: none */
	rlim_t max;
	int (*more)(void);
};

static int leave_directory(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/gone", bed.dir);
	return mkdir(path, 0700) || chdir(path) || rmdir(path);
}

static int ignore_signals(void)
{
	sigset_t all;

	for (int signal_ = 1; signal_ < 32; signal_++)
		signal(signal_, SIG_IGN);
	return sigfillset(&all) || sigprocmask(SIG_SETMASK, &all, NULL);
}

static int set_variables(void)
{
	return setenv("TZ", ":/dev/zero", 1) || setenv("TERM", "\033[31m", 1) || setenv("LANG", "../../x", 1) ||
	       setenv("LIBBPF_LOG_LEVEL", "debug", 1) || setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/dev/null", 1) ||
	       setenv("PATH", "/nowhere", 1) || setenv("HOME", "/nowhere", 1);
}

static int mask_all(void)
{
	umask(0777);
	return 0;
}

static int mask_nothing(void)
{
	umask(0);
	return 0;
}

static int be_slow(void)
{
	const struct sched_param none = {};

	return sched_setscheduler(0, SCHED_IDLE, &none);
}

static int run_in(const struct surroundings *around, const char *const *argv)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		const char *args[BED_ARGUMENTS];
		struct rlimit limit = { around->max, around->max };

		bed_arguments(getenv("BINDCTL"), argv, args);
		if ((around->more && around->more()) || (around->limit >= 0 && setrlimit(around->limit, &limit)))
			_exit(126);
		execv(args[0], (char *const *)args);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

static void surroundings_change_no_command(void **state)
{
	static const struct surroundings all[] = {
		{ "memory that cannot be locked", RLIMIT_MEMLOCK, 0, NULL },
		{ "no more processes", RLIMIT_NPROC, 1, NULL },
		{ "a small stack", RLIMIT_STACK, 256 << 10, NULL },
		{ "no pending signals", RLIMIT_SIGPENDING, 0, NULL },
		{ "no locks", RLIMIT_LOCKS, 0, NULL },
		{ "a directory that is gone", -1, 0, leave_directory },
		{ "signals that are ignored", -1, 0, ignore_signals },
		{ "variables", -1, 0, set_variables },
		{ "a mask of all", -1, 0, mask_all },
		{ "a mask of nothing", -1, 0, mask_nothing },
		{ "no time", -1, 0, be_slow },
	};
	static const char *const grant[] = { "grant", "nobody", "443", "netns", "any", NULL }, *const revoke[] = {
		"revoke", "nobody", "443", NULL
	};
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	char path[128];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/50-bindctl.conf", bed.policy);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int code;

		unlink(path);
		bed_unload();
		code = run_in(&all[i], grant);
		if (code || bed_try(&try).error || stat(path, &st) || (st.st_mode & 07777) != 0644 || st.st_uid)
			fail_msg("%s: grant ends with %d", all[i].what, code);
		code = run_in(&all[i], revoke);
		if (code || bed_try(&try).error != EACCES)
			fail_msg("%s: revoke ends with %d", all[i].what, code);
	}
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test_teardown(nobody_keeps_administrators_waiting_by_a_lock, end_all),
		cmocka_unit_test_teardown(socket_cannot_be_hidden_from_holders, end_all),
		cmocka_unit_test_teardown(name_cannot_pass_for_columns, end_all),
		cmocka_unit_test_teardown(commands_end_while_processes_come_and_go, end_all),
		cmocka_unit_test(surroundings_change_no_command),
	};

	if (unshare(CLONE_NEWNET)) {
		printf("not ok - network namespace: %s\n", strerror(errno));
		return 1;
	}
	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
