/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bench asks of its workers, over a socket pair that is their file descriptor ORDER_FD. */
#ifndef BINDCTL_BENCH_ORDER_H
#define BINDCTL_BENCH_ORDER_H

#include <stdint.h>

#define ORDER_FD 3
#define ORDER_PORTS 256 /* at most, side by side */

enum order_mode {
	ORDER_WHOLE, /* socket(2), bind(2), close(2), one after the other, all of them timed */
	ORDER_ALONE, /* bind(2) of up to ORDER_PORTS sockets that are there, only the binds timed */
	ORDER_WATCH, /* binds in turn of `port` and the port behind the last one until anything is sent: see below */
};

struct order {
	uint32_t mode;
	uint32_t count; /* of binds */
	int32_t family; /* AF_INET or AF_INET6 */
	int32_t type;	/* SOCK_STREAM or SOCK_DGRAM */
	uint16_t port;	/* the first of ... */
	uint16_t nports;
	uint16_t step;	/* ... that lie so far apart */
	int16_t wanted; /* errno of each bind; 0: none */
	uint32_t uid;	/* the first of ... */
	uint32_t nuids; /* ... whom a root worker becomes in turn, at random; 0: stays what it is */
};

/*
 * Of ORDER_WATCH: the binds of `port` give 0 and those of the port behind the last one give `wanted`, for both
 * families in turn; whatever else came out is `wrong`.
 */
struct answer {
	uint64_t ns;
	uint64_t done;
	uint64_t wrong; /* binds that came out otherwise */
	uint64_t taken; /* binds that were let pass, of a port that somebody still held: one who looks into /proc/PID/fd
			   has the closed socket for a moment */
	int32_t error;	/* of the first of them, ... */
	int32_t family;
	uint32_t port;
	uint32_t reserved;
};

#endif
