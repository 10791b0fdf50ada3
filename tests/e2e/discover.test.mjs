// XEP-0156: what a domain's web server says about its services. The web servers are the browser's own routes: no page may ask
// an unencrypted one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

const WEBSOCKET = "urn:xmpp:alt-connections:websocket";
const XBOSH = "urn:xmpp:alt-connections:xbosh";
const jrd = (...links) => JSON.stringify({ links: links.map(([rel, href]) => ({ rel, href })) });
const xrd = (...links) =>
  `<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>${links
    .map(([rel, href]) => `<Link rel='${rel}' href='${href}'/>`)
    .join("")}</XRD>`;

const CASES = {
  "both files": [
    { "host-meta.json": jrd([XBOSH, "https://a.test/bosh"], [WEBSOCKET, "wss://a.test/ws"]), "host-meta": xrd([XBOSH, "https://a.test/bosh"]) },
    ["wss://a.test/ws", "https://a.test/bosh"],
  ],
  "XML alone": [{ "host-meta": xrd([XBOSH, "https://a.test/bosh"], [WEBSOCKET, "wss://a.test/ws"]) }, ["wss://a.test/ws", "https://a.test/bosh"]],
  "JSON alone": [{ "host-meta.json": jrd([XBOSH, "https://a.test/bosh"]) }, ["https://a.test/bosh"]],
  "what is not encrypted does not count": [{ "host-meta.json": jrd([XBOSH, "http://a.test/bosh"], [WEBSOCKET, "ws://a.test/ws"], [WEBSOCKET, "javascript:alert(1)"]) }, []],
  "other relations": [{ "host-meta.json": jrd(["lrdd", "https://a.test/x"], ["urn:xmpp:alt-connections:httppoll", "https://a.test/y"]) }, []],
  "nothing there": [{}, []],
  "neither JSON nor XML": [{ "host-meta.json": "<html>", "host-meta": "<!DOCTYPE html><html><p>" }, []],
  "JSON of another kind": [{ "host-meta.json": '{"links":{"rel":1}}', "host-meta": xrd([XBOSH, "https://b.test/bosh"]) }, ["https://b.test/bosh"]],
  "too long": [{ "host-meta.json": jrd([XBOSH, `https://a.test/${"x".repeat(70_000)}`]) }, []],
};

for (const [index, [name, [files, expected]]] of Object.entries(CASES).entries()) {
  test(`a web server's response: ${name}`, async () => {
    const page = await env.page();
    const domain = `case${index}.test`;
    const asked = [];
    await page.route(`https://${domain}/**`, (route) => {
      const file = route.request().url().split("/.well-known/")[1];
      asked.push(file);
      const body = files[file];
      const headers = { "Access-Control-Allow-Origin": "*" };
      return route.fulfill(body === undefined ? { status: 404, headers, body: "" } : { status: 200, headers, body });
    });
    const services = await page.evaluate(async (domain) => [await epode.discover(domain), await epode.discover(domain)], domain);
    assert.deepEqual(services, [expected, expected]);
    // What was found is remembered.
    assert.equal(asked.length, expected.length > 0 ? 2 : 4);
  });
}

test("a web server that does not respond, one without CORS, an abort, and invalid names", async () => {
  const page = await env.page();
  await page.route("https://silent.test/**", () => {});
  await page.route("https://closed.test/**", (route) => 
    route.fulfill({ status: 200, headers: { "Access-Control-Allow-Origin": "https://else.test" }, body: jrd([XBOSH, "https://a.test/bosh"]) }),
  );
  const result = await page.evaluate(async () => ({
    silent: await epode.discover("silent.test", { timeout: 100 }),
    closed: await epode.discover("closed.test"),
    aborted: (await failure(epode.discover("silent.test", { signal: AbortSignal.abort() }))).code,
    path: (await failure(epode.discover("a.test/x"))).code,
    user: (await failure(epode.discover("a@b.test"))).code,
    none: (await failure(epode.discover())).code,
    connect: (await failure(epode.connect([], { domain: "silent.test", anonymous: true }))).code,
  }));
  assert.deepEqual(result, { silent: [], closed: [], aborted: "aborted", path: "bad-argument", user: "bad-argument", none: "bad-argument", connect: "bad-argument" });
});
