#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hello.py ADDR PORT: a web server that says who it is, and where it believes itself to be."""
import http.server
import os
import socket
import sys


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        port = self.server.socket.getsockname()[1]
        self.wfile.write(f'python as {os.geteuid()} at {port}\n'.encode())


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET


Server((sys.argv[1], int(sys.argv[2])), Hello).serve_forever()
