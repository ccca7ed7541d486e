// A stranger between the reader and the node: everything passes, but for what `change` makes of it.
import { createServer, request } from 'node:http';

/** Starts it before `node`; `change(path, body)` answers another body, or nothing to let it pass. */
export async function between(node, change) {
  const server = createServer((asked, answer) => {
    const chunks = [];
    asked.on('data', (chunk) => chunks.push(chunk));
    asked.on('end', () => {
      const headers = { ...asked.headers, host: new URL(node).host, 'accept-encoding': 'identity' };
      const onward = request(new URL(asked.url, node), { method: asked.method, headers }, (given) => {
        const parts = [];
        given.on('data', (part) => parts.push(part));
        given.on('end', async () => {
          const body = Buffer.concat(parts);
          const changed = (await change(asked.url, body)) ?? body;
          answer.writeHead(given.statusCode, { ...given.headers, 'content-length': changed.length });
          answer.end(changed);
        });
      });
      onward.on('error', () => answer.destroy());
      onward.end(Buffer.concat(chunks));
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
