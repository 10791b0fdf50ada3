// What a service may not do to a page: lead it elsewhere, or make it read without end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, service, wrap } from "./scripted.mjs";
import { environment } from "./support.mjs";

const env = environment();

const OPTIONS = { domain: "scripted.example", anonymous: true, reconnect: false };

for (const status of [301, 302, 303, 307, 308]) {
  test(`HTTP ${status}: the redirect is not followed, in the page and in Node, by connect() and by register()`, async () => {
    const page = await env.page();
    const hits = [];
    const elsewhere = env.route(({ request, response, body }) => {
      hits.push([request.method, body]);
      answer(response, wrap());
    });
    const redirects = (to) => env.route(({ response }) => answer(response, "", { status, headers: { Location: to } }));
    const same = redirects(elsewhere);
    const other = redirects(`${env.origin.url.replace("127.0.0.1", "localhost")}${elsewhere}`);
    const errors = await page.evaluate(
      async ({ paths, OPTIONS }) => {
        const errors = [];
        for (const path of paths) {
          errors.push(await failure(epode.connect(path, { ...OPTIONS, headers: { "X-Secret": "s" }, withCredentials: true })));
          errors.push(await failure(epode.register(path, { domain: "scripted.example", username: "romeo", password: "pencil", allowPlainText: true })));
        }
        return errors;
      },
      { paths: [same, other], OPTIONS },
    );
    const { connect } = await env.node();
    await connect(env.origin.url + same, OPTIONS).catch((error) => errors.push(error));
    assert.equal(errors.length, 5);
    for (const { code, message } of errors) {
      assert.equal(code, "http-error", message);
      assert.match(message, /redirect/i);
    }
    // Browsers do not show the status of a redirect, Node does.
    assert.equal(errors[4].httpStatus, status);
    assert.deepEqual(hits, []);
  });
}

test("a response above maxBytes, announced or not, is not read to its end; the session is terminated", async () => {
  const page = await env.page();
  for (const announced of [true, false]) {
    const log = [];
    let stopped;
    const stop = new Promise((resolve) => (stopped = resolve));
    const path = env.route(
      service({
        online: ({ request, response, body, count }) => {
          if (body.includes("type='terminate'")) log.push("terminate");
          if (count > 1) return false;
          response.writeHead(200, { "Content-Type": "text/xml", ...(announced && { "Content-Length": 50_000_000 }) });
          response.write("<body xmlns='http://jabber.org/protocol/httpbind'>");
          const more = setInterval(() => response.write(`<message>${"x".repeat(100_000)}</message>`), 1);
          response.on("close", () => {
            clearInterval(more);
            stopped();
          });
          request.on("error", () => {});
          return true;
        },
      }),
    );
    const error = await page.evaluate(
      async ({ path, OPTIONS }) => {
        const client = new epode.Client(path, { ...OPTIONS, maxBytes: 1_000_000 });
        const over = new Promise((resolve) => client.on("status", ({ status, error }) => status === "offline" && resolve(describe(error))));
        await client.connect();
        return within(over, "the end");
      },
      { path, OPTIONS },
    );
    assert.equal(error.code, "too-large");
    await stop;
  }
});

test("a frame above maxBytes: the stream and its socket are closed, the next one is open; nothing leaks", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const result = await page.evaluate(
    async ({ ws, romeo, juliet }) => {
      const sockets = [];
      const frames = [];
      const Raw = WebSocket;
      window.WebSocket = class extends Raw {
        constructor(...args) {
          super(...args);
          sockets.push(this);
        }
        send(text) {
          if (this === sockets[0]) frames.push(text);
          super.send(text);
        }
      };
      const client = new epode.Client(ws, { ...romeo, maxBytes: 20_000 });
      const errors = [];
      client.on("error", ({ code }) => errors.push(code));
      const back = new Promise((resolve) => {
        let times = 0;
        client.on("status", ({ status }) => status === "online" && (times += 1) === 2 && resolve());
      });
      await client.connect();
      window.WebSocket = Raw;
      const other = await epode.connect(ws, juliet);
      window.WebSocket = sockets[0].constructor;
      other.send(epode.xml`<message to="${client.jid}"><body>${"x".repeat(30_000)}</body></message>`);
      await within(back, "online again");
      const closed = await within(
        new Promise((resolve) => {
          const look = () => (sockets[0].readyState === 3 ? resolve(true) : setTimeout(look, 20));
          look();
        }),
        "the socket to close",
      );
      const listens = sockets.map(({ onmessage, readyState }) => [onmessage !== null, readyState]);
      await Promise.all([client.disconnect(), other.disconnect()]);
      return { closed, listens, errors, last: frames.at(-1) };
    },
    { ws: `${env.origin.url.replace(/^http/, "ws")}/ws`, romeo, juliet },
  );
  assert.equal(result.closed, true);
  assert.deepEqual(result.listens, [[false, 3], [true, 1]]);
  assert.deepEqual(result.errors, ["too-large"]);
  assert.match(result.last, /^<close /);
});
