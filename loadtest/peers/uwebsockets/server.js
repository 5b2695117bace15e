// uWebSockets.js 20.30 (in the unofficial build by Truffle, the npm package that package.json names) as a push gateway: GET
// /sub?id=TOPIC subscribes a WebSocket, POST /pub?id=TOPIC publishes the body as it is, or with a fourth argument "envelope" in what Barrage writes
// around it, so that a delivery has as many bytes.
// One process, one event loop, its own publish tree; no compression, and no bound that would drop messages in a benchmark.
// Arguments: the module's directory, the port for clients, the port for backends, bare or envelope.
'use strict';

const [, , module_, clients, backend, form] = process.argv;
// Where the package has no binary for a Node, it falls back to JavaScript: that must never be measured as uWebSockets.
const binary = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
const uWS = require(`${module_}/binaries/${binary}`);

const app = uWS.App();

const offsets = new Map();
const END = Buffer.from('}');

/** Puts the data into an envelope, if that is the form; what is only lent may be given. */
function message(topic, data) {
  if (form !== 'envelope') {
    return data;
  }
  const offset = (offsets.get(topic) || 0) + 1;
  offsets.set(topic, offset);
  const head = `{"type":"message","topic":${JSON.stringify(topic)},"offset":${offset},"time":${Date.now()},"data":`;
  return Buffer.concat([Buffer.from(head), Buffer.from(data), END]);
}

app.ws('/sub', {
  compression: uWS.DISABLED,
  maxPayloadLength: 64 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  upgrade: (res, req, context) => {
    res.upgrade(
      { topic: req.getQuery('id') },
      req.getHeader('sec-websocket-key'),
      req.getHeader('sec-websocket-protocol'),
      req.getHeader('sec-websocket-extensions'),
      context);
  },
  open: (ws) => ws.subscribe(ws.getUserData().topic),
});

app.post('/pub', (res, req) => {
  const topic = req.getQuery('id');
  const pieces = [];
  res.onAborted(() => { pieces.length = 0; });
  res.onData((piece, isLast) => {
    if (isLast) {
      // Nearly every body comes in one piece, which is only lent: publish copies it, so nobody else has to.
      const data = pieces.length === 0 ? piece : Buffer.concat([...pieces, Buffer.from(piece)]);
      app.publish(topic, message(topic, data), false, false);
      res.end();
    } else {
      pieces.push(Buffer.from(piece.slice(0)));
    }
  });
});

app.get('/readyz', (res) => res.end('ready'));

for (const port of [clients, backend]) {
  app.listen('127.0.0.1', Number(port), (socket) => {
    if (!socket) {
      console.error(`port ${port} can't be opened`);
      process.exit(1);
    }
  });
}
