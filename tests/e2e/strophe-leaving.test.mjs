// `epode/strophe` when the page goes: a good-bye in the turn that leaves.
//
// Left out: `restore()` after a reload, which tests/strophe compares on a scripted service. Prosody 0.12 often answers nothing more in a
// session whose held request went with the page; `Client` notices and logs in again, Strophe's contract has no such step.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMIT, environment } from "./support.mjs";

const env = environment();

/** Connects in the page, over BOSH or WebSocket; `window.connection` is what it is done with. */
async function connect(page, { jid, password, transport = "bosh", options = {} }) {
  await page.evaluate(
    async ({ jid, password, transport, options }) => {
      const { Strophe, $pres } = await import("/epode/strophe.js");
      Strophe.setLogLevel(Strophe.LogLevel.FATAL);
      const service = transport === "ws" ? `${location.origin.replace(/^http/, "ws")}/ws` : "/http-bind";
      window.connection = new Strophe.Connection(service, options);
      await new Promise((resolve, reject) => {
        window.connection.connect(jid, password, (status) => {
          if (status === Strophe.Status.CONNECTED) resolve();
          if (status === Strophe.Status.AUTHFAIL || status === Strophe.Status.DISCONNECTED) reject(new Error(`status ${status}`));
        });
      });
      window.connection.send($pres());
    },
    { jid, password, transport, options },
  );
}

/** Collects in the page who has become unavailable. */
async function watch(page) {
  await page.evaluate(() => {
    window.gone = [];
    window.connection.addHandler((presence) => window.gone.push(presence.getAttribute("from")), null, "presence", "unavailable");
  });
}

/** Waits until the server has taken the page's presence: it answers in order. */
async function presenceTaken(page) {
  await page.evaluate(async () => {
    const { $iq, Strophe } = await import("/epode/strophe.js");
    await new Promise((resolve) => window.connection.sendIQ($iq({ type: "get" }).c("query", { xmlns: Strophe.NS.ROSTER }), resolve, resolve));
  });
}

for (const transport of ["bosh", "ws"]) {
  test(`a terminating request reaches the server when the page reloads in the same turn (${transport})`, async () => {
    const { jid, password } = await env.account();
    const [watching, leaving] = await env.pages(2);
    await connect(watching, { jid: `${jid}/watching`, password });
    await watch(watching);
    await connect(leaving, { jid: `${jid}/leaving`, password, transport });
    await presenceTaken(leaving);
    await Promise.all([
      leaving.waitForEvent("framenavigated"),
      leaving.evaluate(() => {
        window.connection.disconnect("the page goes");
        location.reload();
      }),
    ]);
    await watching.waitForFunction((full) => window.gone.includes(full), `${jid}/leaving`, { timeout: LIMIT });
  });
}
