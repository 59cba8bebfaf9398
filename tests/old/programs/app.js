// SPDX-License-Identifier: GPL-2.0-or-later
// app.js PORT CERTIFICATE KEY [--checks]: an application that speaks HTTPS at every address, says who it is and where
// it believes itself to be, and returns the messages that come through a WebSocket. With --checks it refuses low ports
// by itself, as many do.
const crypto = require('crypto'), fs = require('fs');
const [port, cert, key, checks] = process.argv.slice(2);

const refuse = number => {
	if (!checks || number >= 1024 || process.getuid() === 0)
		return;
	console.error(`port ${number} is for root, and I am ${process.getuid()}`);
	process.exit(1);
};
refuse(port);
const server = require('https').createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) },
	(question, answer) => answer.end(`app as ${process.getuid()} at ${server.address().port}\n`));
server.on('upgrade', (request, socket) => {
	const text = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
	const accept = crypto.createHash('sha1').update(text).digest('base64');
	socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
		`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
	// Short messages in one masked frame each are all that are sent to us.
	socket.on('data', frame => {
		const said = frame.subarray(6, 6 + (frame[1] & 127)).map((byte, i) => byte ^ frame[2 + (i & 3)]);
		const answer = Buffer.from(`you said: ${said}`);
		socket.write(Buffer.concat([Buffer.from([0x81, answer.length]), answer]));
	});
	socket.on('error', () => {});
});
server.listen(Number(port), () => refuse(server.address().port));
