// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/app.h"
#include "host/privilege.h"

#define HELP_RULE                                                                         \
	"\n"                                                                              \
	"SUBJECT  webuser, 1000 (a uid), @group, unit:NAME, cgroup:PATH, or any\n"        \
	"PORTS    443, 80,443, 8000-8100, any; 443/tcp, 443/udp: that protocol only\n"    \
	"CLAUSE   proto tcp|udp, addr IP[/LEN], netns host|any, until TIME, log; user,\n" \
	"         group, unit or cgroup NAME, besides the subject\n"

#define HELP_DENY "         errno EACCES|EADDRINUSE|EADDRNOTAVAIL|EPERM, audit\n"

#define HELP_STRICT "  --strict    rules of equal rank that disagree are an error, not a warning\n"

#define HELP_CHANGE                                                                      \
	"  --runtime   the rules in /run, which last until the next boot, not in /etc\n" \
	"  --dry-run   change nothing; print what would change in the kernel\n" HELP_STRICT

#define HELP_FILTER                                                   \
	"  --user USER     by this user\n"                            \
	"  --port PORTS    of these ports: 443, 8000-8100, 443/udp\n" \
	"  --unit UNIT     in the cgroup of this unit, or below\n"    \
	"  --cgroup PATH   in this cgroup, or below\n"

#define HELP_ADD "\n  --for TIME  only that long: 10m, 1h30m, 2d; the same as 'until +TIME'\n" HELP_CHANGE

static const struct command commands[] = {
	{ "grant", run_rule, "let somebody bind ports that need a privilege",
	  "grant [OPTION...] SUBJECT PORTS [CLAUSE...]\n"
	  "Adds a rule to the policy and applies it: the subject's binds of the ports\n"
	  "proceed, CAP_NET_BIND_SERVICE not needed. Loads bindctl if need be.\n" HELP_RULE HELP_ADD,
	  BC_CAPS_BPF | BC_CAPS_UNITS, true },
	{ "allow", run_rule, "exempt somebody from a wider deny",
	  "allow [OPTION...] SUBJECT PORTS [CLAUSE...]\n"
	  "Adds a rule to the policy and applies it: the subject's binds of the ports\n"
	  "proceed under the kernel's ordinary rule. Loads bindctl if need be.\n" HELP_RULE HELP_ADD,
	  BC_CAPS_BPF | BC_CAPS_UNITS, true },
	{ "deny", run_rule, "refuse binds, root's too",
	  "deny [OPTION...] SUBJECT PORTS [CLAUSE...]\n"
	  "Adds a rule to the policy and applies it: the subject's binds of the ports\n"
	  "fail, with EACCES unless 'errno NAME' says otherwise. With 'audit' they are\n"
	  "only reported, to bindctl monitor. Loads bindctl if need be.\n" HELP_RULE HELP_DENY HELP_ADD,
	  BC_CAPS_BPF | BC_CAPS_UNITS, true },
	{ "rewrite", run_rule, "lead binds to another address or port",
	  "rewrite [OPTION...] SUBJECT PORTS to [IP][:PORT] [CLAUSE...]\n"
	  "Adds a rule to the policy and applies it: the subject's binds of the ports\n"
	  "proceed at the address, port or both behind 'to', CAP_NET_BIND_SERVICE not\n"
	  "needed. With 'hidden' behind those, getsockname(2) shows what was asked for.\n"
	  "Loads bindctl if need be.\n" HELP_RULE HELP_ADD,
	  BC_CAPS_BPF | BC_CAPS_UNITS, true },
	{ "reserve", run_rule, "grant ports to somebody, deny them to all others",
	  "reserve [OPTION...] SUBJECT PORTS [CLAUSE...]\n"
	  "Adds a rule to the policy and applies it: the subject's binds of the ports\n"
	  "proceed, CAP_NET_BIND_SERVICE not needed; everyone else's fail, also where the\n"
	  "kernel chose the port. Loads bindctl if need be.\n" HELP_RULE HELP_DENY HELP_ADD,
	  BC_CAPS_BPF | BC_CAPS_UNITS, true },
	{ "revoke", run_revoke, "take rules back",
	  "revoke [OPTION...] SUBJECT PORTS [CLAUSE...]\n"
	  "       bindctl revoke [OPTION...] --id ID\n"
	  "Removes the subject's rules on the ports from the file that grant, deny and the\n"
	  "like write, and applies. Of a rule on more ports the others stay. A clause that\n"
	  "is given must be in the rule. Fails when nothing matched. Loads bindctl if need\n"
	  "be. Names the processes that still hold a port which the policy let them bind.\n"
	  "\n"
	  "  --id ID     the rule that 'bindctl list' shows with this ID\n" HELP_CHANGE,
	  BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAPS_PROCESSES, true },
	{ "apply", run_apply, "make the kernel hold what the files say",
	  "apply [OPTION...]\n"
	  "Compiles the policy files and puts them into force, all at once. If there is a\n"
	  "fault anywhere in them, what was in force stays. Loads bindctl if need be.\n"
	  "\n"
	  "  --dry-run   change nothing; print the difference between kernel and files\n" HELP_STRICT,
	  BC_CAPS_BPF | BC_CAPS_UNITS, true },
	{ "load", run_load, "attach to the kernel and apply; detach from it",
	  "load [--strict]\n"
	  "Attaches the programs at the cgroup root, pins them, and applies the policy.\n"
	  "Where an older build is loaded, its programs are replaced without a gap.\n"
	  "\n" HELP_STRICT,
	  BC_CAPS_BPF | BC_CAPS_UNITS, true },
	{ "unload", run_unload, "",
	  "unload\n"
	  "Withdraws the policy, detaches the programs and removes the pins. The policy\n"
	  "files stay. Every bind is then the kernel's own affair.\n",
	  BC_CAPS_BPF },
	{ "check", run_check, "find faults in policy files; needs no privilege",
	  "check [OPTION...] [FILE...]\n"
	  "Parses and lints the files, or the configured directories when none is given.\n"
	  "Exits with 1 when there is an error.\n"
	  "\n"
	  "  --strict    warnings count as errors\n"
	  "  --json      findings as a JSON document\n",
	  BC_CAPS_UNITS | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ "list", run_list, "show the rules in force",
	  "list [OPTION...]\n"
	  "Shows what the kernel enforces now: each rule with its ID, how many binds it has\n"
	  "decided, how long ago the last, the time that it has left if it has an end, and\n"
	  "its file and line.\n"
	  "\n"
	  "  --json      as a JSON document\n"
	  "  --numeric   uids and gids, not names\n"
	  "  --unused    rules that have never decided a bind, and no others\n",
	  BC_CAPS_BPF },
	{ "explain", run_explain, "say which rule would decide a bind",
	  "explain --user USER --port PORT [OPTION...]\n"
	  "       bindctl explain --pid PID --port PORT [OPTION...]\n"
	  "Says what the policy answers to a bind, by which rule, and why nearer rules do\n"
	  "not apply. Exits with 3 when the answer makes the bind fail.\n"
	  "\n"
	  "  --user USER    name or uid, the effective one\n"
	  "  --group GROUP  name or gid, once for each; the first is the effective one;\n"
	  "                 default: those that the user has at login\n"
	  "  --unit UNIT    in the cgroup of this systemd unit\n"
	  "  --cgroup PATH  in this cgroup, as in /proc/PID/cgroup; default the root\n"
	  "  --pid PID      who and where this process is\n"
	  "  --port PORT    0: the kernel chooses\n"
	  "  --proto PROTO  tcp (default) or udp\n"
	  "  --addr ADDR    address asked for; default 0.0.0.0\n"
	  "  --v6only       the socket has IPV6_V6ONLY set (matters for --addr ::)\n"
	  "  --netns WHERE  host (default) or other: the initial network namespace or not\n"
	  "  --at TIME      then, not now: 2026-11-24T10:00:00Z, +10m\n"
	  "  --files        ask the policy files, not the kernel; needs no privilege\n"
	  "  --json         as a JSON document\n",
	  BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_SYS_PTRACE) },
	{ "holders", run_holders, "show who holds ports, and who would not get them now",
	  "holders [OPTION...] [PORTS]\n"
	  "Shows the sockets that hold ports in this network namespace, each with the\n"
	  "processes that have it open, and whether the policy in force and the kernel\n"
	  "would still let them bind it.\n"
	  "\n"
	  "PORTS    443, 80,443, 8000-8100, any; 443/tcp, 443/udp: that protocol only\n"
	  "\n"
	  "  --denied    only those who would not be let\n"
	  "  --json      as a JSON document\n",
	  BC_CAPS_BPF | BC_CAPS_PROCESSES },
	{ "monitor", run_monitor, "show refusals and logged binds as they happen",
	  "monitor [OPTION...]\n"
	  "Prints a line for each bind that is refused, by a rule or by the kernel for want\n"
	  "of a grant, for each that an 'audit' rule would have refused, and for each that a\n"
	  "rule with 'log' decides. Up to eight can run at once; each shows everything.\n"
	  "\n"
	  "  --denied        refusals alone\n" HELP_FILTER "  --count N       end after so many lines\n"
	  "  --timeout TIME  end after that time: 30s, 10m\n"
	  "  --rate N        of binds that nothing refused at most so many a second (10000);\n"
	  "                  0: all\n"
	  "  --json          each as a JSON document of one line\n",
	  BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ "why", run_why, "show the last refusals, and what would permit them",
	  "why [OPTION...]\n"
	  "Shows the refusals that the kernel remembers, up to sixteen of a user, the oldest\n"
	  "first; nobody need have been watching. Those too that the kernel itself made for\n"
	  "want of a grant. With each what to call to permit such binds: that adds a rule, or\n"
	  "takes one back.\n"
	  "\n"
	  "  --last          the last one alone\n"
	  "  --pid PID       of this process, or thread\n" HELP_FILTER "  --json          as a JSON document\n",
	  BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ "learn", run_learn, "watch binds, and print the policy that permits them",
	  "learn [OPTION...]\n"
	  "Watches binds until the time is over or it is interrupted, and then prints the\n"
	  "rules that permit just what it saw under a default deny. What a rule refused is\n"
	  "printed as a comment.\n"
	  "\n"
	  "  --user USER     binds of this user\n"
	  "  --cgroup PATH   binds in this cgroup, as in /proc/PID/cgroup, and below\n"
	  "  --count N       end after so many binds\n"
	  "  --timeout TIME  end after that time: 30s, 10m\n"
	  "  --json          as a JSON document\n",
	  BC_CAPS_BPF | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ "import", run_import, "print what authbind or mac_portacl permits, as policy",
	  "import [--json] authbind [DIR]\n"
	  "       bindctl import [--json] portacl RULES|FILE\n"
	  "Prints the policy that permits what the other tool does, each rule with where it\n"
	  "comes from, and changes nothing. What no rule can say is printed as a comment that\n"
	  "says why, and as a warning; the exit code is then 1.\n"
	  "\n"
	  "DIR      authbind's directory; default /etc/authbind\n"
	  "RULES    of FreeBSD's mac_portacl(4): uid:80:tcp:80,gid:80:udp:443\n"
	  "FILE     with such rules, or a sysctl.conf(5) that sets them\n"
	  "\n"
	  "  --json      as a JSON document\n",
	  BC_CAP(CAP_DAC_READ_SEARCH) },
	{ "status", run_status, "say whether the policy is enforced",
	  "status [OPTION...]\n"
	  "Says whether the programs are attached and run, which policy is in force, whether\n"
	  "the files say the same, and what else is wrong. Exits with 3 when anything is.\n"
	  "\n"
	  "  --ignore-neighbours  that others have programs at the same hooks is no problem\n"
	  "  --json               as a JSON document\n",
	  BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_SYS_ADMIN) },
	{ "metrics", run_metrics, "print counts for Prometheus",
	  "metrics\n"
	  "Prints how the policy stands and how often it decided what, in the text format of\n"
	  "Prometheus, as the textfile collector of node_exporter reads it.\n",
	  BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_SYS_ADMIN) },
	{ "help", run_help, NULL, "help [COMMAND]\nShows what there is, or how a command is called.\n" },
	{ "version", run_version, NULL, "version\nShows the version, and that of the compiled policy's form.\n" },
	{},
};

/* Fits a terminal of 24 lines of 80 characters. */
static void print_help(void)
{
	fputs("bindctl - decides in the kernel who may bind which port\n"
	      "Usage: bindctl [OPTION...] COMMAND ...     as in: bindctl grant webuser 443\n\n",
	      stdout);
	for (const struct command *command = commands; command->summary; command++) {
		bool two = command[1].summary && !*command[1].summary;
		char names[32];

		snprintf(names, sizeof(names), "%s%s%s", command->name, two ? ", " : "", two ? command[1].name : "");
		printf("  %-12s  %s\n", names, command->summary);
		command += two;
	}
	fputs("\n  --config DIR, --pin DIR, --cgroup PATH   other policy, pins, place to attach\n"
	      "More: bindctl help COMMAND, bindctl --version, bindctl(8), bindctl-policy(5)\n",
	      stdout);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

void print_command_help(const struct command *command)
{
	printf("Usage: bindctl %s", command->help);
}

int run_help(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
	const struct command *topic = NULL;
	int code;

	(void)app;
	while (next_option(command, argc, argv, options, &code) != -1)
		return code;
	if (argc - optind > 1)
		return usage_error(command, "help: more than one command");
	if (optind < argc) {
		topic = find_command(argv[optind]);
		if (!topic)
			return usage_error(NULL, "unknown command '%s'", argv[optind]);
		print_command_help(topic);
	} else {
		print_help();
	}
	return finish_output(EXIT_DONE);
}

static int print_version(void)
{
	printf("bindctl %s (image schema %u)\n", BINDCTL_VERSION, BC_SCHEMA);
	return finish_output(EXIT_DONE);
}

int run_version(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
	int code;

	(void)app;
	while (next_option(command, argc, argv, options, &code) != -1)
		return code;
	if (optind < argc)
		return usage_error(command, "version: unexpected '%s'", argv[optind]);
	return print_version();
}

/* The path from the root, malloc'ed: what is written into pins and images must not depend on where we were. */
static char *absolute(const char *path)
{
	_cleanup_free_ char *here = *path == '/' ? NULL : getcwd(NULL, 0);
	char *whole;

	if (asprintf(&whole, "%s%s%s", here ? here : "", here ? "/" : "", path) < 0) {
		say("out of memory");
		exit(EXIT_FAILED);
	}
	return whole;
}

/* The global options, which stand before the command. Returns a command's exit code, or -1 to go on at optind. */
static int parse_globals(struct app *app, int argc, char **argv)
{
	const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "pin", required_argument, NULL, 'p' },
		{ "cgroup", required_argument, NULL, 'g' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	    {},
	};
	const char *config = NULL, *pins = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		if (option == ':' || option == '?')
			return refused_option(NULL, option, argv);
		if (option == 'h') {
			print_help();
			return finish_output(EXIT_DONE);
		}
		if (option == 'V')
			return print_version();
		if (!*optarg)
			return usage_error(NULL, "option '%s' wants a path, not an empty word",
					   option == 'c' ? "--config" :
					   option == 'p' ? "--pin" :
							   "--cgroup");
		if (option == 'c')
			config = optarg;
		else if (option == 'p')
			pins = optarg;
		else
			app->instance.cgroup = optarg;
	}
	if (config) {
		app->store = bc_store_at(absolute(config));
		talk_of_option("--config", config);
	}
	if (pins) {
		app->instance.pins = absolute(pins);
		talk_of_option("--pin", pins);
	}
	if (app->instance.cgroup)
		talk_of_option("--cgroup", app->instance.cgroup);
	return -1;
}

static int give_up_privileges(const struct app *app, const struct command *command)
{
	uint64_t keep = command->keeps;
	struct bc_error error;

	if (keep & BC_CAPS_BPF && bc_instance_takes_admin(&app->instance, command->changes))
		keep |= BC_CAP(CAP_SYS_ADMIN);
	return bc_privilege_keep(keep, &error) ? failed(&error) : EXIT_DONE;
}

int main(int argc, char **argv)
{
	/* Owns the paths that parse_globals() makes, as long as we live. */
	static struct app app = { .instance = { .pins = BC_PIN_DIR } };
	const struct command *command;
	int code, fd;

	/*
	 * A closed 0, 1 or 2 would be taken by the next file opened, and what we say would land in it. Read-only: what
	 * is printed to a closed stdout must not seem to have got out.
	 */
	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
	umask(022);
	/* A file that would grow beyond a limit is an error like others, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	app.store = bc_store_system();
	code = parse_globals(&app, argc, argv);
	if (code >= 0)
		return code;
	if (optind == argc)
		return usage_error(NULL, "no command given");
	command = find_command(argv[optind]);
	if (!command)
		return usage_error(NULL, "unknown command '%s'", argv[optind]);
	code = give_up_privileges(&app, command);
	if (code != EXIT_DONE)
		return code;
	argc -= optind;
	argv += optind;
	optind = 0; /* glibc: start over, on other arguments */
	return command->run(&app, command, argc, argv);
}
