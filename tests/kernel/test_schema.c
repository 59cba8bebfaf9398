// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pins of another schema. Older ones are brought to this build's, with the policy in force all the while; newer and
 * foreign ones are refused, and left as they are.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "older.h"

static int bind_port(int family, uint16_t port)
{
	const struct try try = { .uid = NOBODY, .family = family, .port = port };

	return bed_try(&try).error;
}

static void expect_policy(void)
{
	assert_int_equal(bind_port(AF_INET, 443), 0);
	assert_int_equal(bind_port(AF_INET6, 443), 0);
	assert_int_equal(bind_port(AF_INET, 8443), EPERM);
	assert_int_equal(bind_port(AF_INET6, 8443), EPERM);
}

static struct bpf_link_info link_of(const char *name)
{
	_cleanup_close_ int fd = bed_open_pin(name);
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info;
}

static uint32_t schema_now(void)
{
	_cleanup_close_ int fd = bed_open_pin("schema");
	uint32_t words[16] = {}, only = 0;

	assert_int_equal(bpf_map_lookup_elem(fd, &only, words), 0);
	return words[1];
}

static size_t count_pins(void)
{
	DIR *dir = opendir(bed.pins);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.') {
			n++;
			/* Nothing half done. */
			assert_int_not_equal(strncmp(entry->d_name, "new_", 4), 0);
		}
	closedir(dir);
	return n;
}

/* A child that binds what the policy grants and what it denies, both families in turn, until it is told to stop. */
static pid_t start_binding(int *ret_fd)
{
	const struct try who = { .uid = NOBODY };
	int pipefd[2];
	pid_t child;

	assert_int_equal(pipe(pipefd), 0);
	child = fork();
	if (child == 0) {
		const struct timespec none = {};
		sigset_t stop;
		uint64_t done = 0, wrong = 0, counts[2];

		sigemptyset(&stop);
		sigaddset(&stop, SIGUSR1);
		sigprocmask(SIG_BLOCK, &stop, NULL);
		bed_become(&who);
		for (; sigtimedwait(&stop, NULL, &none) != SIGUSR1; done++) {
			bool six = done & 1, deny = done & 2;
			struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
						    .sin6_port = htons(deny ? 8443 : 443),
						    .sin6_addr = in6addr_loopback };
			struct sockaddr_in in = { .sin_family = AF_INET,
						  .sin_port = in6.sin6_port,
						  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
			int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
			int error =
				bind(fd, six ? (void *)&in6 : (void *)&in, six ? sizeof(in6) : sizeof(in)) ? errno : 0;

			/* A port that is held says that the bind was let pass. */
			wrong += error != (deny ? EPERM : 0) && (deny || error != EADDRINUSE);
			close(fd);
		}
		counts[0] = done;
		counts[1] = wrong;
		_exit(write(pipefd[1], counts, sizeof(counts)) != sizeof(counts));
	}
	close(pipefd[1]);
	*ret_fd = pipefd[0];
	return child;
}

static void stop_binding(pid_t child, int fd)
{
	uint64_t counts[2] = {};
	int status;

	kill(child, SIGUSR1);
	assert_int_equal(read(fd, counts, sizeof(counts)), sizeof(counts));
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(counts[0] > 100);
	if (counts[1])
		fail_msg("%lu of %lu binds came out wrong", (unsigned long)counts[1], (unsigned long)counts[0]);
}

/* With nothing to complain about, but for events: nobody reads what the binding child causes. */
static void expect_enforced(void)
{
	_cleanup_(bc_text_done) struct bc_text said = {};

	BINDCTL(&said, "status");
	assert_non_null(strstr(said.data, "enforced      yes"));
	assert_null(strstr(said.data, "run: bindctl --"));
}

static int set_up(void **state)
{
	(void)state;
	older_load(OLDER_SCHEMA);
	expect_policy();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return BINDCTL(NULL, "unload");
}

static void is_said(void **state)
{
	_cleanup_(bc_text_done) struct bc_text said = {};
	size_t pins = count_pins();

	(void)state;
	assert_int_equal(BINDCTL(&said, "status"), 3);
	assert_non_null(strstr(said.data, "have schema 3, made by an older bindctl; run: bindctl --"));
	assert_int_equal(BINDCTL(NULL, "list"), 1);
	assert_int_equal(BINDCTL(NULL, "explain", "--user", "65534", "--port", "443"), 1);
	assert_int_equal(BINDCTL(NULL, "monitor", "--timeout", "1s"), 1);
	assert_int_equal(BINDCTL(NULL, "grant", "--dry-run", "65534", "81"), 1);
	assert_int_equal(schema_now(), OLDER_SCHEMA);
	assert_int_equal(count_pins(), pins);
	expect_policy();
}

static void is_brought_up_to_date(void **state)
{
	struct bpf_link_info before4 = link_of("bind4"), before6 = link_of("bind6");
	size_t pins = count_pins();
	int fd, code;
	pid_t child = start_binding(&fd);

	(void)state;
	usleep(100000);
	code = BINDCTL(NULL, "load");
	usleep(100000);
	stop_binding(child, fd);
	assert_int_equal(code, 0);
	assert_int_equal(schema_now(), BC_SCHEMA);
	/* The image in force has had a pin since; and what were one ring for all readers are three maps. */
	assert_int_equal(count_pins(), pins + 1 + 2);
	/* The same links, with other programs: nothing was detached for a moment. */
	assert_int_equal(link_of("bind4").id, before4.id);
	assert_int_equal(link_of("bind6").id, before6.id);
	assert_int_not_equal(link_of("bind4").prog_id, before4.prog_id);
	assert_int_not_equal(link_of("bind6").prog_id, before6.prog_id);
	expect_enforced();
	expect_policy();
}

/* Whatever changes the policy does it first. */
static void is_brought_up_to_date_by_grant(void **state)
{
	(void)state;
	assert_int_equal(BINDCTL(NULL, "grant", "65534", "81"), 0);
	assert_int_equal(schema_now(), BC_SCHEMA);
	assert_int_equal(BINDCTL(NULL, "status"), 0);
	assert_int_equal(bind_port(AF_INET, 81), 0);
	expect_policy();
}

static void stays_when_files_are_broken(void **state)
{
	static const char broken[] = "grant user 65534 port\n";
	size_t pins = count_pins();

	(void)state;
	bed_write("50-bindctl.conf", broken, strlen(broken));
	assert_int_equal(BINDCTL(NULL, "load"), 1);
	assert_int_equal(schema_now(), OLDER_SCHEMA);
	assert_int_equal(count_pins(), pins);
	expect_policy();
}

static void is_unloaded(void **state)
{
	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(access(bed.pins, F_OK), -1);
	assert_int_equal(bind_port(AF_INET, 443), EACCES);
	assert_int_equal(bind_port(AF_INET6, 8443), 0);
}

static void is_refused_when_newer(void **state)
{
	static const char *const names[] = { "policy", "gate",	 "events", "counters", "notes",	     "state",
					     "seen",   "schema", "bind4",  "bind6",    "post_bind4", "post_bind6" };
	struct bpf_link_info before;
	char path[160];
	size_t pins;

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	older_load(BC_SCHEMA + 1);
	before = link_of("bind4");
	pins = count_pins();
	assert_int_equal(BINDCTL(NULL, "load"), 1);
	assert_int_equal(BINDCTL(NULL, "grant", "65534", "81"), 1);
	assert_int_equal(BINDCTL(NULL, "unload"), 1);
	assert_int_equal(BINDCTL(NULL, "status"), 1);
	assert_int_equal(schema_now(), BC_SCHEMA + 1);
	assert_int_equal(count_pins(), pins);
	assert_int_equal(link_of("bind4").prog_id, before.prog_id);
	expect_policy();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", bed.pins, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(bed.pins), 0);
}

static void lose_mark(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/schema", bed.pins);
	assert_int_equal(unlink(path), 0);
}

static void survives_the_loss_of_its_mark(void **state)
{
	_cleanup_(bc_text_done) struct bc_text said = {};
	int fd;
	pid_t child;

	(void)state;
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	child = start_binding(&fd);
	lose_mark();
	assert_int_equal(BINDCTL(&said, "status"), 3);
	assert_non_null(strstr(said.data, "have lost their schema; run: bindctl --"));
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	stop_binding(child, fd);
	expect_enforced();
	lose_mark();
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(access(bed.pins, F_OK), -1);
}

/* What a command that was killed had been about to pin is in nobody's way. */
static void clears_remnants(void **state)
{
	_cleanup_close_ int fd = bed_open_pin("schema");
	char path[160];

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(mkdir(bed.pins, 0700), 0);
	snprintf(path, sizeof(path), "%s/new_schema", bed.pins);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(BINDCTL(NULL, "status"), 0);
	snprintf(path, sizeof(path), "%s/new_policy", bed.pins);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(access(bed.pins, F_OK), -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(is_said),
		TEST(is_brought_up_to_date),
		TEST(is_brought_up_to_date_by_grant),
		TEST(stays_when_files_are_broken),
		TEST(is_unloaded),
		TEST(is_refused_when_newer),
		TEST(survives_the_loss_of_its_mark),
		TEST(clears_remnants),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
