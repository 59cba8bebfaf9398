/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel tests' bed: a cgroup, a bpffs and a policy directory of their own, and children that join the cgroup,
 * become somebody and call bind(2). All of it is removed when the tests end, however they end.
 */
#ifndef BINDCTL_BED_H
#define BINDCTL_BED_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../patience.h"
#include "host/build.h"
#include "kernel/instance.h"

struct bed {
	char dir[64];	  /* mode 0711; holds the rest */
	char pins[96];	  /* under the bpffs at dir/bpf */
	char policy[96];  /* policy directory */
	char cgroup[256]; /* where the programs are attached */
	char scope[64];	  /* the same as a path of policy: from the root of cgroup2 */
	struct bc_instance instance;
};

extern struct bed bed;

/* Makes the bed, runs `tests` in a child, and unmakes the bed. Returns main()'s result. */
int bed_main(int (*tests)(void));

/* How the policies' names are looked up: users and groups of the host, units by systemd's rules. */
extern const struct bc_names bed_names;

/* Puts the policy into force, as `bindctl apply` would; fails the test if it cannot. */
void bed_policy(const char *text);

/* The same for a child of a test, which must not fail by itself. 0 or -errno. */
int bed_apply(const char *text, struct bc_error *reterr);

/* The image that bed_policy() compiled last. */
extern struct bc_build bed_build;

/* Detaches and unpins everything. */
void bed_unload(void);

#define NOBODY 65534u
#define SOMEBODY 1234u /* another one without a name */

/* One bind, and who does it. */
struct
try {
	const char *addr;    /* NULL: the family's wildcard */
	const char *in;	     /* the cgroup to join, below the bed's own: "a/b"; NULL: the bed's own */
	uint32_t uid;	     /* effective */
	uint32_t gid;	     /* effective; 0 with a uid: the same number */
	const gid_t *groups; /* supplementary */
	size_t ngroups;
	uint32_t ruid; /* real; 0 with a uid: the same */
	uint16_t port;
	int family; /* of the socket: AF_INET or AF_INET6 */
	int type;   /* SOCK_STREAM unless set */
	int protocol;
	int sa_family; /* what the address says; 0: the socket's */
	int addrlen;   /* 0: what the family has */
	bool v6only;
	bool outside;		 /* do not join the cgroup */
	bool foreign_netns;	 /* in a network namespace of its own */
	const char *local_ports; /* ... where the kernel chooses ports from this range: "5430 5440" */
	bool no_new_privs;
	bool real_only; /* keep `ruid` as real uid, root or not */
	/* The call itself, when it is not plain bind(2): 0 or errno. */
	int (*call)(int fd, const struct sockaddr *addr, socklen_t len);
};

/* What came of it. */
struct outcome {
	int error;		     /* errno of bind(2), 0 for none */
	int socket;		     /* errno of the socket(2) before it: nothing was tried */
	uint16_t port;		     /* that getsockname(2) shows */
	char addr[INET6_ADDRSTRLEN]; /* likewise */
};

struct outcome bed_try(const struct try *try);

/* How often to repeat what is repeated `times`: less where BINDCTL_KERNEL_SHARE=0.2 or so says that each takes long. */
int bed_share(int times);

/* Sets SO_REUSEADDR: a connection that some server of the host closed a minute ago must not fail a test. */
void bed_reuse(int fd);

/* Whether this kernel has UDP-Lite: newer ones have it no more. Says so when not. */
bool bed_has_udp_lite(void);

/* Makes a cgroup below the bed's own, and those above it; removes it again with whatever is in it, or fails the test. */
void bed_make_cgroup(const char *name);
void bed_remove_cgroup(const char *name);

/* Writes to a file of such a cgroup; 0 or -errno. */
int bed_write_cgroup(const char *name, const char *file, const char *text);

/* Gives it to a user, as a service manager or a container engine does: cgroups(7), delegation. */
void bed_give_cgroup(const char *name, uint32_t uid);

/* Brings up the loopback of a network namespace of one's own; 0 or errno. */
int bed_raise_loopback(void);

/* In a child: joins the cgroup, becomes the user. Exits on failure. */
void bed_become(const struct try *try);

/* What such a program is called with: the bed's --config, --pin and --cgroup, and the command. NULL at the end. */
#define BED_ARGUMENTS 64
void bed_arguments(const char *program, const char *const *argv, const char **ret_args);

/* Runs a command with the bed's --config, --pin and --cgroup; its exit code. stdout is read into `out` if not NULL. */
int bed_run(const char *program, struct bc_text *out, const char *const *argv);
int bed_bindctl(struct bc_text *out, const char *const *argv); /* $BINDCTL */
#define BINDCTL(out, ...) bed_bindctl(out, (const char *const[]){ __VA_ARGS__, NULL })

/* Opens a pin of the bed's instance, or fails the test. */
int bed_open_pin(const char *name);

/* Writes a file of the policy directory. */
void bed_write(const char *name, const char *text, size_t len);

#endif
