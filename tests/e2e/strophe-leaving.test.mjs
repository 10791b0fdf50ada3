// `epode/strophe` when the page goes: a good-bye in the turn that leaves, and a session that is taken up after a reload.

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

for (const transport of ["bosh", "ws"]) {
  test(`a good-bye reaches the server when the page is loaded anew in the same turn (${transport})`, async () => {
    const { jid, password } = await env.account();
    const [watching, leaving] = await env.pages(2);
    await connect(watching, { jid: `${jid}/watching`, password });
    await watch(watching);
    await connect(leaving, { jid: `${jid}/leaving`, password, transport });
    // The server has taken the presence.
    await leaving.evaluate(async () => {
      const { $iq, Strophe } = await import("/epode/strophe.js");
      await new Promise((resolve) => window.connection.sendIQ($iq({ type: "get" }).c("query", { xmlns: Strophe.NS.ROSTER }), resolve, resolve));
    });
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

test("with keepalive the session is restored after a reload, and nothing is lost", async () => {
  const { jid, password } = await env.account();
  const [sending, page] = await env.pages(2);
  await connect(sending, { jid: `${jid}/sending`, password });
  await connect(page, { jid: `${jid}/kept`, password, options: { keepalive: true } });
  const sid = await page.evaluate(() => window.connection._proto.sid);
  await page.reload();
  await page.waitForFunction(() => window.ready);
  await sending.evaluate(async (to) => {
    const { $msg } = await import("/epode/strophe.js");
    window.connection.send($msg({ to, type: "chat" }).c("body").t("meanwhile"));
    window.connection.flush();
  }, `${jid}/kept`);
  const restored = await page.evaluate(async () => {
    const { Strophe } = await import("/epode/strophe.js");
    Strophe.setLogLevel(Strophe.LogLevel.FATAL);
    const connection = new Strophe.Connection("/http-bind", { keepalive: true });
    const statuses = [];
    const body = new Promise((resolve) => {
      connection.addHandler((message) => resolve(message.textContent), null, "message");
    });
    connection.restore(undefined, (status) => statuses.push(status));
    return { body: await body, jid: connection.jid, sid: connection._proto.sid, isAttached: statuses[0] === Strophe.Status.ATTACHED };
  });
  assert.deepEqual(restored, { body: "meanwhile", jid: `${jid}/kept`, sid, isAttached: true });
});
