/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bench's parts share. Everything runs in a cgroup, a network and a mount namespace of the bench's own; a part
 * that cannot go on says why and exits, and what was made is removed.
 */
#ifndef BINDCTL_BENCH_H
#define BINDCTL_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "kernel/instance.h"
#include "order.h"
#include "texts.h"

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The bed. */

enum place {
	NO_HOOK,     /* a cgroup that nothing is attached to */
	EMPTY_HOOK,  /* one with a program that returns 3 */
	OURS,	     /* one with bindctl */
	MADE,	     /* so many are made here */
	UNIT = MADE, /* one that systemd made, for measure_units() */
	PLACES,
};

struct bench {
	char dir[64];		   /* holds the rest; mode 0711 */
	char pins[96];		   /* below a bpffs of its own */
	char policy[96];	   /* policy directory */
	char name[32];		   /* the cgroups', a dot and a word behind it */
	char cgroups[PLACES][160]; /* paths; those made here directly below the root of cgroup2 */
	int cgroup_fds[PLACES];
	const char *bindctl; /* path of the command */
	const char *worker;  /* path of the worker, where everybody may execute it */
	unsigned rounds;
	struct bc_instance instance;
	struct bc_force force; /* of the loaded programs */
};

extern struct bench bench;

/* Makes the bed, runs `work` in a child, and removes the bed. main()'s result. */
int bed_run(int (*work)(void));

/*
 * Loads all programs anew, the empty ones too. Where the kernel puts their code changes what they cost by some ten
 * nanoseconds, so a part does this every round.
 */
void bed_load(void);

/* Attaches what a policy with those features needs besides, as `bindctl apply` would. */
void bed_attach(uint32_t features);

/* Writes a file below the bed's directory. */
void bed_write(const char *name, const char *text, size_t len);

/* Runs bindctl with the bed's --config, --pin and --cgroup, silently; nanoseconds it took. */
uint64_t bed_bindctl(const char *const *argv);
#define BINDCTL(...) bed_bindctl((const char *const[]){ __VA_ARGS__, NULL })

uint64_t now(void);

/* Workers. */

struct who {
	enum place place;
	const char *in;	  /* a cgroup below that place, "a/b"; NULL: the place itself */
	uint32_t uid;	  /* 0: root, with all capabilities */
	unsigned ngroups; /* supplementary groups, WORKER_GROUP among them; 0: none */
	bool setcap;	  /* its file carries cap_net_bind_service */
	bool authbind;
};

struct worker {
	pid_t pid;
	int fd;
};

struct worker worker_start(const struct who *who);

void worker_stop(const struct worker *worker);

/* Moves it into a cgroup below the place it was started in. */
void worker_move(const struct worker *worker, enum place place, const char *in);

/* Gives an order and waits for what came of it; a bind that came out otherwise than wanted is the end. */
struct answer worker_do(const struct worker *worker, const struct order *order);

/* Says on stderr what came out otherwise than wanted. */
void worker_say_wrong(const struct answer *answer, int wanted);

/* The two halves, for what goes on meanwhile. Any byte ends ORDER_WATCH. */
void worker_order(const struct worker *worker, const struct order *order);
struct answer worker_answer(const struct worker *worker);

/* Makes a cgroup below a place, and those above it; removes the last one again. */
void cgroup_make(enum place place, const char *in);
void cgroup_remove(enum place place, const char *in);

/* Policies of texts.h. */

void policy_compile(enum kind kind, uint32_t rules, struct bc_cells *ret);

struct image {
	int fd;
	struct bc_gate needs;
};

/* One in the kernel, as the next to be published; what it costs there, as /proc has it, in *ret_bytes if not NULL. */
struct image policy_image(const struct bc_cells *cells, uint64_t *ret_bytes);

/* Puts it into force. */
void policy_publish(const struct image *image);

/* Figures: each has a place in a table, and is measured once a round. */

void figure_add(const char *table, const char *row, const char *column, double value);

/* The median; and the median of all rounds' quotients of two figures. */
double figure_median(const char *table, const char *row, const char *column);
double figure_ratio(const char *table, const char *row, const char *column, const char *to_row, const char *to_column);

/* A figure that was to be reached: at most, or at least, `goal`. */
void figure_goal(const char *what, const char *unit, double value, double goal, bool at_least);

/* Prints the tables and the goals; and writes them, as Markdown, JSON and the plot's data, into `dir` if not NULL. */
void figures_write(const char *dir);

/* The tables. */
#define PROGRAMS "Program time above an empty program, ns a bind"
#define READERS "The same while events are read, 10 rules"
#define CALLS "Time of the calls, ns"
#define UPDATES "Time of a change, ms"
#define MEMORY "Kernel memory, bytes a rule"
#define UNITS "Program time beside systemd's, above an empty program, ns a bind"

/* What the columns of PROGRAMS and some of the others count. */
#define SIZES 4
extern const uint32_t sizes[SIZES];
extern const char *const size_names[SIZES];

/* A row of PROGRAMS and of UNITS: what is taken off the others. */
#define EMPTY "(empty program, the kernel's clock included)"

/* The parts; each adds its figures and the goals that they are held against. */
void measure_programs(void);
void measure_readers(void);
void measure_calls(void);
void measure_updates(void);
/* Only where systemd is the first process, and asked for by name: it starts services. */
void measure_units(void);

#endif
