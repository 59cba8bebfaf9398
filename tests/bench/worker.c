// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One who binds. A program of its own, so that it can be started by authbind, or carry a file capability. Obeys orders
 * until the other end is closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "order.h"

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "bench worker: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* An address of loopback, so that nothing else on the port is met. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void set_address(union address *address, int family, uint16_t port, socklen_t *ret_len)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = family;
	if (family == AF_INET) {
		address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address->in.sin_port = htons(port);
		*ret_len = sizeof(address->in);
	} else {
		address->in6.sin6_addr = in6addr_loopback;
		address->in6.sin6_port = htons(port);
		*ret_len = sizeof(address->in6);
	}
}

static int open_socket(const struct order *order)
{
	int fd = socket(order->family, order->type, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void judge(struct answer *answer, const union address *address, int result, int wanted)
{
	int error = result ? errno : 0;

	answer->done++;
	if (error == wanted)
		return;
	/* The kernel looks whether a port is free when all that decide about it have let the bind pass. */
	if (!wanted && error == EADDRINUSE) {
		answer->taken++;
		return;
	}
	if (!answer->wrong) {
		answer->error = error;
		answer->family = address->any.sa_family;
		/* At the same place in both. */
		answer->port = ntohs(address->in.sin_port);
	}
	answer->wrong++;
}

static uint16_t port_of(const struct order *order, uint32_t n)
{
	return order->port + n % order->nports * order->step;
}

/* Becomes one of the order's users, and root again. */
static void become(const struct order *order, bool root)
{
	if (!order->nuids)
		return;
	if (seteuid(root ? 0 : order->uid + random() % order->nuids))
		die("seteuid");
}

static void bind_whole(const struct order *order, struct answer *answer)
{
	uint64_t start = now();

	for (uint32_t i = 0; i < order->count; i++) {
		union address address;
		socklen_t len;
		int fd;

		set_address(&address, order->family, port_of(order, order->nuids ? random() : i), &len);
		become(order, false);
		fd = open_socket(order);
		judge(answer, &address, bind(fd, &address.any, len), order->wanted);
		close(fd);
		become(order, true);
	}
	answer->ns = now() - start;
}

static void bind_alone(const struct order *order, struct answer *answer)
{
	uint32_t left = order->count, many = order->nports < ORDER_PORTS ? order->nports : ORDER_PORTS;
	union address addresses[ORDER_PORTS];
	int fds[ORDER_PORTS];
	socklen_t len = 0;

	for (uint32_t i = 0; i < many; i++)
		set_address(&addresses[i], order->family, port_of(order, i), &len);
	while (left) {
		uint32_t n = left < many ? left : many;
		uint64_t start;

		for (uint32_t i = 0; i < n; i++)
			fds[i] = open_socket(order);
		start = now();
		for (uint32_t i = 0; i < n; i++)
			judge(answer, &addresses[i], bind(fds[i], &addresses[i].any, len), order->wanted);
		answer->ns += now() - start;
		for (uint32_t i = 0; i < n; i++)
			close(fds[i]);
		left -= n;
	}
}

static void watch(const struct order *order, struct answer *answer)
{
	uint64_t start = now();
	char byte;

	for (uint32_t i = 0;; i++) {
		bool within = i & 1;
		struct order turn = *order;
		union address address;
		socklen_t len;
		int fd;

		if (i % 64 == 0 && recv(ORDER_FD, &byte, 1, MSG_DONTWAIT) >= 0)
			break;
		turn.family = i & 2 ? AF_INET : AF_INET6;
		set_address(&address, turn.family, within ? order->port : port_of(order, order->nports - 1) + 1, &len);
		fd = open_socket(&turn);
		judge(answer, &address, bind(fd, &address.any, len), within ? 0 : order->wanted);
		close(fd);
	}
	answer->ns = now() - start;
}

int main(void)
{
	struct order order;

	while (recv(ORDER_FD, &order, sizeof(order), 0) == sizeof(order)) {
		struct answer answer = {};

		if (order.mode == ORDER_WHOLE)
			bind_whole(&order, &answer);
		else if (order.mode == ORDER_ALONE)
			bind_alone(&order, &answer);
		else
			watch(&order, &answer);
		if (send(ORDER_FD, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer))
			return 1;
	}
	return 0;
}
