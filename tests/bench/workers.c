// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench.h"

/* A copy of the worker in the bed, where everybody may execute it; its path. */
static const char *copy_worker(const char *name)
{
	static char path[128];
	struct stat st;
	int from, to;

	snprintf(path, sizeof(path), "%s/%s", bench.dir, name);
	if (!access(path, F_OK))
		return path;
	from = open(bench.worker, O_RDONLY | O_CLOEXEC);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (from < 0 || to < 0 || fstat(from, &st) || sendfile(to, from, NULL, st.st_size) != st.st_size)
		fail("cannot copy %s to %s: %m", bench.worker, path);
	close(from);
	close(to);
	return path;
}

static const char *capable_worker(void)
{
	const char *path = copy_worker("worker.setcap");
	char *command;
	int status;

	if (asprintf(&command, "setcap cap_net_bind_service+ep %s", path) < 0)
		fail("out of memory");
	status = system(command);
	free(command);
	if (status)
		fail("cannot give %s the capability (is libcap2-bin installed?)", path);
	return path;
}

static void become(const struct who *who)
{
	gid_t groups[1024] = { WORKER_GROUP };

	/* The one that counts is neither the first nor in the middle. */
	for (unsigned i = 1; i < who->ngroups; i++)
		groups[i] = WORKER_GROUP + (i % 3 ? i : -i);
	if (setgroups(who->ngroups, groups))
		fail("setgroups: %m");
	if (who->uid && (setresgid(who->uid, who->uid, who->uid) || setresuid(who->uid, who->uid, who->uid)))
		fail("setresuid: %m");
}

struct worker worker_start(const struct who *who)
{
	const char *path = who->setcap ? capable_worker() : copy_worker("worker");
	struct worker worker;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		fail("socketpair: %m");
	worker.pid = fork();
	if (worker.pid < 0)
		fail("fork: %m");
	if (worker.pid == 0) {
		struct worker self = { .pid = getpid() };

		worker_move(&self, who->place, who->in);
		become(who);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fds[1] == ORDER_FD ? fcntl(ORDER_FD, F_SETFD, 0) : dup2(fds[1], ORDER_FD) < 0)
			fail("dup2: %m");
		if (who->authbind)
			execlp("authbind", "authbind", "--deep", path, NULL);
		else
			execl(path, path, NULL);
		fail("cannot execute the worker: %m");
	}
	close(fds[1]);
	worker.fd = fds[0];
	return worker;
}

void worker_stop(const struct worker *worker)
{
	int status;

	close(worker->fd);
	if (waitpid(worker->pid, &status, 0) != worker->pid || status)
		fail("a worker failed");
}

void worker_order(const struct worker *worker, const struct order *order)
{
	if (send(worker->fd, order, sizeof(*order), MSG_NOSIGNAL) != sizeof(*order))
		fail("a worker is gone: %m");
}

struct answer worker_answer(const struct worker *worker)
{
	struct answer answer;

	if (recv(worker->fd, &answer, sizeof(answer), 0) != sizeof(answer))
		fail("a worker is gone");
	/* Too many would say nothing about what a bind costs, or who decided it. */
	if (answer.taken > answer.done / 100)
		fail("somebody else holds the ports");
	return answer;
}

void worker_say_wrong(const struct answer *answer, int wanted)
{
	fprintf(stderr,
		"bench: %lu of %lu binds came out wrong; the first one, of port %u of IPv%u: %s instead of %s\n",
		(unsigned long)answer->wrong, (unsigned long)answer->done, answer->port,
		answer->family == AF_INET ? 4 : 6, answer->error ? strerror(answer->error) : "done",
		wanted ? strerror(wanted) : "done");
}

struct answer worker_do(const struct worker *worker, const struct order *order)
{
	struct answer answer;

	worker_order(worker, order);
	answer = worker_answer(worker);
	if (answer.wrong) {
		worker_say_wrong(&answer, order->wanted);
		exit(1);
	}
	return answer;
}
