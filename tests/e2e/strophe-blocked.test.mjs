// `epode/strophe` and `strophe.global.js` where WebAssembly is forbidden: one named error in the call that needs the module, and the page's
// callback is told; what needs no module works.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

/** What forbids WebAssembly, and what the named error says of it. */
const FORBIDDEN = {
  "a policy without wasm-unsafe-eval": { headers: { "Content-Security-Policy": "script-src 'self' 'unsafe-inline'" }, message: /'wasm-unsafe-eval' to script-src/ },
  "a platform without WebAssembly": { script: () => delete globalThis.WebAssembly, message: /no WebAssembly/ },
  "a lockdown that leaves an empty object": { script: () => Object.defineProperty(globalThis, "WebAssembly", { value: undefined }), message: /no WebAssembly/ },
  "Chromium before 114": {
    script: () => {
      const { Module } = WebAssembly;
      WebAssembly.Module = class {
        constructor(bytes) {
          if (bytes.byteLength > 4096) throw new RangeError("WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB.");
          return new Module(bytes);
        }
      };
    },
    message: /at once.*Chromium 114/s,
  },
};

/** Loads the library and connects; gives what was thrown, and what the callback was told by the time the connection has ended. */
async function tryOut(page, { entry, service }) {
  return page.evaluate(
    async ({ entry, service }) => {
      if (entry === "epode/strophe") await import("/epode/strophe.js");
      else {
        const script = document.createElement("script");
        script.src = "/epode/strophe.global.js";
        document.head.append(script);
        await new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
      }
      Strophe.setLogLevel(Strophe.LogLevel.FATAL);
      const names = Object.fromEntries(Object.entries(Strophe.Status).map(([name, number]) => [number, name]));
      const told = [];
      const text = $msg({ to: "a" }).toString();
      const connection = new Strophe.Connection(service);
      let thrown;
      const ended = new Promise((resolve) => {
        try {
          connection.connect("a@b.example", "x", (status, condition) => {
            told.push(condition ? `${names[status]} ${condition}` : names[status]);
            if (status === Strophe.Status.DISCONNECTED) resolve();
          });
        } catch (error) {
          thrown = { name: error.name, code: error.code, message: error.message };
        }
      });
      // In the very call: nothing is waited for.
      const atOnce = [...told];
      await ended;
      // A second connection gets the same.
      let again;
      try {
        new Strophe.Connection(service).connect("a@b.example", "x", () => {});
      } catch (error) {
        again = error.code;
      }
      return { text, thrown, atOnce, told, again };
    },
    { entry, service },
  );
}

for (const [name, { headers, script, message }] of Object.entries(FORBIDDEN)) {
  for (const entry of ["epode/strophe", "strophe.global.js"]) {
    test(`${name}, ${entry}: one named error, at once`, async () => {
      const origin = headers ? await env.serve({ headers }) : env.origin;
      for (const service of ["/http-bind", `${origin.url.replace(/^http/, "ws")}/ws`]) {
        const page = await env.page({ origin, file: "/empty.html", ready: false });
        if (script) await page.addInitScript(script);
        await page.goto(`${origin.url}/blank.html`);
        await page.waitForFunction(() => window.ready);
        const { text, thrown, atOnce, told, again } = await tryOut(page, { entry, service });
        assert.equal(text, '<message to="a" xmlns="jabber:client"/>');
        assert.equal(thrown?.name, "XmppError", JSON.stringify({ thrown, told }));
        assert.equal(thrown.code, "module-blocked", thrown.message);
        assert.match(thrown.message, message);
        assert.ok(atOnce.includes("CONNFAIL module-blocked"), atOnce.join());
        assert.equal(told.at(-1), "DISCONNECTED");
        assert.equal(told.filter((status) => status.startsWith("CONNFAIL")).length, 1, told.join());
        assert.equal(again, "module-blocked");
      }
    });
  }
}
