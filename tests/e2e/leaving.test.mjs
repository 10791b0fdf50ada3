// A page that is left: its session ends with it, at the server, whichever way it is left and whenever its last request was
// sent. An observer in a room sees the presence of each page go; that takes a second if the session was ended, and the
// server's inactivity timeout if it was not. Which of the two it was is told by the requests that the origin has passed on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OVER_SOCKET, SERVER, environment } from "./support.mjs";

const RUNS = Number(process.env.EPODE_RUNS ?? 10);

const env = environment();

/** How a page is left: what it has registered before it connects (`early`) and after (`prepare`), and what ends it. */
const WAYS = {
  "disconnect() in pagehide, another page": {
    prepare: () => addEventListener("pagehide", () => client.disconnect()),
    leave: (page, next) => page.goto(next),
  },
  "disconnect() in pagehide, a reload": {
    prepare: () => addEventListener("pagehide", () => client.disconnect()),
    leave: (page) => page.reload(),
  },
  "disconnect() in pagehide, registered before the client": {
    early: () => addEventListener("pagehide", () => window.client?.disconnect()),
    leave: (page, next) => page.goto(next),
  },
  "disconnect() in beforeunload": {
    prepare: () => addEventListener("beforeunload", () => client.disconnect()),
    leave: (page, next) => page.goto(next),
  },
  "disconnect(), then another address": {
    leave: (page, next) => page.evaluate((next) => (client.disconnect(), void (location.href = next)), next),
  },
  "disconnect(), then a reload": {
    leave: (page) => page.evaluate(() => (client.disconnect(), location.reload())),
  },
  "disconnect() in pagehide, the tab is closed": {
    prepare: () => addEventListener("pagehide", () => client.disconnect()),
    leave: (page) => page.close({ runBeforeUnload: true }),
  },
  "no disconnect(), the tab is closed": {
    leave: (page) => page.close({ runBeforeUnload: true }),
  },
};

for (const cacheControl of ["no-store", undefined]) {
  for (const [name, way] of Object.entries(WAYS)) {
    // A page that may come back keeps its session, unless it says otherwise.
    test(`${cacheControl ?? "may be stored"}: ${name}: ${RUNS} sessions end with their pages`, async (t) => {
      const origin = await env.serve({ cacheControl });
      const room = `${env.name("room")}@${env.names.conference}`;
      const [watcher, ...leavers] = await env.accounts(2);
      const observer = await env.page();
      await observer.evaluate(
        async ({ watcher, room }) => {
          window.client = await epode.connect(BOSH, watcher);
          window.gone = inbox("a page's presence that goes");
          client.addHandler((stanza) => stanza.type === "unavailable" && gone.push(stanza.from.split("/")[1]), { name: "presence" });
          await client.muc.join(room, "observer");
        },
        { watcher, room },
      );
      const said = new Set();
      // What each run's page has sent, in order of arrival, and what it was answered: for the report of a failure.
      const arrived = [];
      const usual = origin.before;
      origin.before = (request, response) => {
        if (request.method === "POST") {
          const run = Number(/run=(\d+)/.exec(request.headers.referer)?.[1]);
          let body = "";
          request.on("data", (chunk) => (body += chunk));
          request.on("end", () => {
            const line = { run, at: Math.round(performance.now()), body: body.replaceAll(/ xmlns(:\w+)?='[^']*'/g, "").slice(0, 120), end: "open" };
            arrived.push(line);
            response.on("close", () => (line.end = response.writableFinished ? `${response.statusCode}` : "given up"));
            if (/ type='terminate'/.test(body)) said.add(body);
          });
        }
        return usual(request, response);
      };
      for (let run = 0; run < RUNS; run += 1) {
        const page = await env.page({ origin, file: `/blank.html?run=${run}` });
        if (way.early) await page.evaluate(way.early);
        await page.evaluate(
          async ({ leaver, room, run }) => {
            window.client = await epode.connect(BOSH, leaver);
            await client.muc.join(room, `leaver${run}`);
            // The last request is now a different time ago in each run.
            await new Promise((resolve) => setTimeout(resolve, 7 * run));
          },
          { leaver: leavers[0], room, run },
        );
        if (way.prepare) await page.evaluate(way.prepare);
        await way.leave(page, `${origin.url}/empty.html`);
        if (!page.isClosed()) await page.waitForLoadState().catch(() => {});
      }
      const gone = await observer.evaluate((count) => gone.until(count).catch((error) => [String(error), ...gone.got]), RUNS);
      if (!OVER_SOCKET) t.diagnostic(`${SERVER}: ${said.size} of ${RUNS} requests to end a session`);
      const all = Array.from({ length: RUNS }, (_, run) => `leaver${run}`).sort();
      const missing = all.filter((leaver) => !gone.includes(leaver));
      const lines = arrived.filter(({ run }) => missing.includes(`leaver${run}`)).map(({ at, body, end }) => `${at} ms: ${body}: ${end}`);
      assert.deepEqual([...new Set(gone)].sort(), all, `${gone.join(", ")}; ${said.size} good-byes:\n${lines.join("\n")}`);
      if (!OVER_SOCKET) assert.equal(said.size, RUNS);
      await observer.evaluate(() => client.disconnect());
    });
  }
}
