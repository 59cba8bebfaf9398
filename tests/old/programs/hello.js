// SPDX-License-Identifier: GPL-2.0-or-later
// hello.js PORT: a web server that says who it is, and where it believes itself to be.
const server = require('http').createServer((question, answer) =>
	answer.end(`node as ${process.geteuid()} at ${server.address().port}\n`));
server.listen(Number(process.argv[2]));
