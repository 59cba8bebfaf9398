#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bind.py [--udp] [--threads] [--no-children] ADDR PORT...: binds each, and says "bound" or the errno's name of each.

--threads: each in a thread of its own, all at once. --no-children: with SIGCHLD ignored, as servers do that want no
zombies. All stay bound until the end. Exits with 1 if one was not."""
import errno
import signal
import socket
import sys
import threading

options = {word for word in sys.argv[1:] if word.startswith('--')}
addr, *ports = [word for word in sys.argv[1:] if not word.startswith('--')]
family = socket.AF_INET6 if ':' in addr else socket.AF_INET
kind = socket.SOCK_DGRAM if '--udp' in options else socket.SOCK_STREAM
sockets = [socket.socket(family, kind) for _ in ports]
said = [''] * len(ports)
together = threading.Barrier(len(ports))


def bind(i):
    if '--threads' in options:
        together.wait()
    try:
        sockets[i].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sockets[i].bind((addr, int(ports[i])))
        said[i] = 'bound'
    except OSError as error:
        said[i] = errno.errorcode[error.errno]


if '--no-children' in options:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if '--threads' in options:
    threads = [threading.Thread(target=bind, args=(i,)) for i in range(len(ports))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
else:
    for i in range(len(ports)):
        bind(i)
print(*said)
sys.exit(said != ['bound'] * len(ports))
