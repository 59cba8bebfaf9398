#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""websocket.py ADDR CERTIFICATE MESSAGE...: says these through one WebSocket over TLS, and prints what comes back."""
import base64
import hashlib
import os
import socket
import ssl
import sys

addr, certificate, *messages = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
sock = context.wrap_socket(socket.create_connection((addr, 443), timeout=10), server_hostname=addr)
stream = sock.makefile('rb')
key = base64.b64encode(os.urandom(16)).decode()
sock.sendall((f'GET /socket HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
              f'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n').encode())
head = b''.join(iter(stream.readline, b'\r\n')).decode()
accept = base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode()
if not head.startswith('HTTP/1.1 101 ') or f'sec-websocket-accept: {accept}'.lower() not in head.lower():
    sys.exit(f'no WebSocket: {head}')
for message in messages:
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(message.encode()))
    sock.sendall(bytes([0x81, 0x80 | len(masked)]) + mask + masked)
    kind, length = stream.read(2)
    if kind != 0x81 or length > 125:
        sys.exit(f'no short text: {kind:#x}, {length}')
    print(stream.read(length).decode())
