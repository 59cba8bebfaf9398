// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What root in a container can do who is not kept from it: with the host's BPF file system, with CAP_SYS_ADMIN, or with the
 * users of the host. That is by design, bindctl(8) says so, and these hold it to its word: that it can be done, and that
 * `status` shows it where it can.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/privilege.h"
#include "jail.h"
#include "survey.h"

#define DENIED 443
#define A_USERS 444
#define ROOTS 445

static struct hooked hooks[BC_HOOKS];
static uint32_t policy_id, gate_id, image_id;

static int set_up(void **state)
{
	(void)state;
	jail_make("grant user 1234 port 444\ngrant user root port 445\n");
	survey_hooks(hooks);
	policy_id = survey_map(BC_PIN_POLICY);
	gate_id = survey_map(BC_PIN_GATE);
	image_id = survey_map(BC_PIN_IMAGE);
	return 0;
}

static int open_pin(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", bed.pins, name);
	return bpf_obj_get(path);
}

/* Each of the two denies by itself: one is not enough. */
static const enum bc_hook denying[] = { BC_HOOK_BIND4, BC_HOOK_POST_BIND4 };

static int he_detaches_links_whose_pins_he_sees(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(denying); i++)
		if (jail_bind(DENIED) != EPERM || bpf_link_detach(open_pin(bc_hook_name(denying[i]))))
			return JAIL_TROUBLE;
	return jail_bind(DENIED);
}

static int he_removes_pins_that_he_sees(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(denying); i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s/%s", bed.pins, bc_hook_name(denying[i]));
		if (jail_bind(DENIED) != EPERM || unlink(path))
			return JAIL_TROUBLE;
	}
	/* The links go a moment later. */
	for (int i = 0; i < PATIENCE && jail_bind(DENIED) == EPERM; i++)
		nap();
	return jail_bind(DENIED);
}

static int he_detaches_links_by_their_ids(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(denying); i++)
		if (jail_bind(DENIED) != EPERM || bpf_link_detach(bpf_link_get_fd_by_id(hooks[denying[i]].link)))
			return JAIL_TROUBLE;
	return jail_bind(DENIED);
}

static int he_shuts_the_gate_by_its_id(void)
{
	static struct bc_gate gate; /* that no rule names any port */
	uint32_t key = 0;

	return bpf_map_update_elem(bpf_map_get_fd_by_id(gate_id), &key, &gate, BPF_ANY) ? JAIL_TROUBLE :
											  jail_bind(DENIED);
}

static int he_puts_another_policy_there_by_its_id(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
	int image = bpf_map_create(BPF_MAP_TYPE_ARRAY, "his", 4, sizeof(union bc_page), 1, &options);
	uint32_t key = 0;

	if (image < 0 || bpf_map_update_elem(bpf_map_get_fd_by_id(policy_id), &key, &image, BPF_ANY))
		return JAIL_TROUBLE;
	return jail_bind(DENIED);
}

static int he_puts_other_programs_there_by_id(void)
{
	static const struct bpf_insn permits[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	for (size_t i = 0; i < ARRAY_SIZE(denying); i++) {
		bool late = denying[i] == BC_HOOK_POST_BIND4;
		LIBBPF_OPTS(bpf_prog_load_opts, options,
			    .expected_attach_type = late ? BPF_CGROUP_INET4_POST_BIND : BPF_CGROUP_INET4_BIND);
		int program = bpf_prog_load(late ? BPF_PROG_TYPE_CGROUP_SOCK : BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "his",
					    "GPL", permits, 2, &options);

		if (bpf_link_update(bpf_link_get_fd_by_id(hooks[denying[i]].link), program, NULL))
			return JAIL_TROUBLE;
	}
	return jail_bind(DENIED);
}

/* But not this: a policy in force is frozen. */
static int he_writes_to_the_policy_in_force(void)
{
	static union bc_page page;
	int fd = bpf_map_get_fd_by_id(image_id);
	uint32_t key = 0;

	if (fd < 0 || bpf_map_lookup_elem(fd, &key, &page))
		return JAIL_TROUBLE;
	if (!bpf_map_update_elem(fd, &key, &page, BPF_ANY) || errno != EPERM)
		return JAIL_WENT_THROUGH;
	return jail_bind(DENIED);
}

static int he_becomes_a_user_of_the_hosts(void)
{
	return setgid(SOMEBODY) || setuid(SOMEBODY) ? JAIL_TROUBLE : jail_bind(A_USERS);
}

static int he_is_root_to_the_rules(void)
{
	return jail_bind(ROOTS);
}

struct attack {
	const char *name;
	int (*run)(void);
	struct jail jail;
	int wanted;	   /* errno of the bind */
	const char *shown; /* by status */
};

static void he_tries(void **state)
{
	const struct attack *attack = *state;
	_cleanup_(bc_text_done) struct bc_text status = {};
	int error = jail_run(&attack->jail, attack->run), code;

	if (error != attack->wanted)
		fail_msg("%s: %d", attack->name, error);
	code = BINDCTL(&status, "status");
	if (attack->shown ? code != 3 || !strstr(status.data, attack->shown) : code)
		fail_msg("%s: status says: %s", attack->name, status.data);
	/* Another load, or at worst an unload before it, brings all back. */
	if (BINDCTL(NULL, "load") && (BINDCTL(NULL, "unload") || BINDCTL(NULL, "load")))
		fail_msg("%s: cannot be loaded again", attack->name);
	assert_int_equal(BINDCTL(NULL, "status"), 0);
}

static int lock_pipe[2];

static int hold_the_lock(void)
{
	int fd = open(bed.pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) || write(lock_pipe[1], "", 1) != 1)
		return JAIL_TROUBLE;
	for (;;)
		pause();
}

/* Commands that change something give up, and name him; what is in force stays so. */
static void he_keeps_the_lock_of_pins_that_he_sees(void **state)
{
	const struct jail jail = { .sees_pins = true };
	struct bc_instance instance = bed.instance;
	_cleanup_close_ int lock = -1;
	struct bc_error error, note;
	char ready;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(lock_pipe), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(jail_run(&jail, hold_the_lock));
	}
	assert_int_equal(read(lock_pipe[0], &ready, 1), 1);
	instance.patience.seconds = 1;
	assert_int_equal(bc_instance_lock(&instance, &lock, &note, &error), -ETIMEDOUT);
	assert_non_null(strstr(error.text, "(test_attack_roo) holds the lock"));
	assert_int_equal(BINDCTL(NULL, "status"), 0);
	assert_int_equal(jail_run(&(struct jail){}, he_is_root_to_the_rules), 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	instance.patience.seconds = 10;
	assert_int_equal(bc_instance_lock(&instance, &lock, &note, &error), 0);
}

/* clang-format off */
#define TRY(it, wanted, shown, ...) \
	{ #it, he_tries, set_up, jail_remove, &(struct attack){ #it, it, { __VA_ARGS__ }, wanted, shown } }
/* clang-format on */

#define BINDS BC_CAP(CAP_NET_BIND_SERVICE)
#define SEES_PINS .caps = BINDS, .sees_pins = true
#define ADMIN .caps = BINDS | BC_CAP(CAP_SYS_ADMIN) | BC_CAP(CAP_NET_ADMIN)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TRY(he_detaches_links_whose_pins_he_sees, 0, "bind4: somebody detached our program", SEES_PINS),
		TRY(he_removes_pins_that_he_sees, 0, "bind4: not attached", SEES_PINS),
		TRY(he_detaches_links_by_their_ids, 0, "bind4: somebody detached our program", ADMIN),
		TRY(he_shuts_the_gate_by_its_id, 0, "the programs take no notice of ports that the policy speaks of",
		    ADMIN),
		TRY(he_puts_another_policy_there_by_its_id, 0, "no policy is in force", ADMIN),
		TRY(he_puts_other_programs_there_by_id, 0, "not bindctl's", ADMIN),
		TRY(he_writes_to_the_policy_in_force, EPERM, NULL, ADMIN),
		TRY(he_becomes_a_user_of_the_hosts, 0, NULL, .caps = jail_docker_caps & ~BINDS),
		TRY(he_is_root_to_the_rules, 0, NULL, .caps = jail_docker_caps & ~BINDS),
		cmocka_unit_test_setup_teardown(he_keeps_the_lock_of_pins_that_he_sees, set_up, jail_remove),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
