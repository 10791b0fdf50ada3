// What a domain's web server may answer (XEP-0156), in Node: odd shapes, sizes, and what is remembered. What a browser does is
// tested in tests/e2e/discover.test.mjs.
//
// Optional in what is read, each absent in a case below: either file; `links`; a link's `rel`; a link's `href`; everything else in
// a link and in the file (`subject`, `properties`, `titles`).

import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { importSources } from "../../scripts/lib/typescript.mjs";

const { lookUp } = await importSources("discover");

const WEBSOCKET = "urn:xmpp:alt-connections:websocket";
const XBOSH = "urn:xmpp:alt-connections:xbosh";
const WSS = { rel: WEBSOCKET, href: "wss://a.test/ws" };
const HTTPS = { rel: XBOSH, href: "https://a.test/bosh" };

/** Reads no XML: these cases are about JSON. */
const noXml = () => {
  throw new Error("no XML here");
};

let number = 0;
let asked = 0;

/** Serves this as host-meta.json of a domain that was not asked before; the other file is missing. */
function serve(body, { headers } = {}) {
  number += 1;
  asked = 0;
  mock.method(globalThis, "fetch", async (address) => {
    asked += 1;
    if (!address.endsWith("/host-meta.json")) return new Response("", { status: 404 });
    return body instanceof Response ? body : new Response(body, { status: 200, headers });
  });
  return `case${number}.test`;
}

const jrd = (...links) => JSON.stringify({ links });

afterEach(() => mock.restoreAll());

const CASES = {
  "an address in an array": [jrd({ rel: WEBSOCKET, href: ["wss://a.test/ws"] }), []],
  "a scheme in capitals": [jrd({ rel: XBOSH, href: "HTTPS://A.test/bosh" }, { rel: WEBSOCKET, href: "WSS://a.test/ws" }), [WSS.href, HTTPS.href]],
  "null, a number, a text and an array among the links": [jrd(null, 7, "x", [], HTTPS), [HTTPS.href]],
  "no rel": [jrd({ href: "https://a.test/x" }, HTTPS), [HTTPS.href]],
  "no href": [jrd({ rel: XBOSH }, { rel: XBOSH, href: null }, { rel: XBOSH, href: 7 }, { rel: XBOSH, href: {} }, HTTPS), [HTTPS.href]],
  "a rel in an array": [jrd({ rel: [XBOSH], href: HTTPS.href }), []],
  "a relative address": [jrd({ rel: XBOSH, href: "/bosh" }, { rel: XBOSH, href: "//a.test/bosh" }, { rel: XBOSH, href: "" }), []],
  "unencrypted addresses": [jrd({ rel: XBOSH, href: "http://a.test/b" }, { rel: WEBSOCKET, href: "ws://a.test/ws" }, { rel: XBOSH, href: "ftp://a.test/" }), []],
  "white space around an address": [jrd({ rel: XBOSH, href: " https://a.test/bosh\n" }), [HTTPS.href]],
  "a scheme of the other relation": [jrd({ rel: XBOSH, href: "wss://a.test/ws" }, { rel: WEBSOCKET, href: "https://a.test/bosh" }), []],
  "a user in the address": [jrd({ rel: XBOSH, href: "https://user:secret@a.test/bosh" }), []],
  "a fragment": [jrd({ rel: WEBSOCKET, href: "wss://a.test/ws#x" }), [WSS.href]],
  "the same twice": [jrd(HTTPS, HTTPS, WSS), [WSS.href, HTTPS.href]],
  "links as an object": ['{"links":{"0":{"rel":1},"length":1}}', []],
  "links as a text": ['{"links":"https://a.test"}', []],
  "no links": ["{}", []],
  "null": ["null", []],
  "a number": ["7", []],
  "an array": ["[]", []],
  "more beside the links": [JSON.stringify({ subject: "a", properties: { a: null }, links: [{ ...HTTPS, titles: {}, type: 1 }] }), [HTTPS.href]],
  "__proto__": [`{"__proto__":{"links":[${JSON.stringify(HTTPS)}]}}`, []],
  "too long": [jrd({ rel: XBOSH, href: `https://a.test/${"x".repeat(70_000)}` }), []],
  "many": [jrd(...Array.from({ length: 500 }, (_, at) => ({ rel: XBOSH, href: `https://a.test/${at}` }))), Array.from({ length: 16 }, (_, at) => `https://a.test/${at}`)],
};

for (const [name, [body, expected]] of Object.entries(CASES)) {
  test(`host-meta.json: ${name}`, async () => {
    assert.deepEqual(await lookUp(serve(body), noXml), expected);
  });
}

test("a file announced above the limit is not read, an endless one is read up to the limit", async () => {
  let pulled = 0;
  const endless = () =>
    new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(16_384).fill(32));
      },
    });
  assert.deepEqual(await lookUp(serve(new Response(endless())), noXml), []);
  assert.ok(pulled <= 8, `${pulled} pieces were read`);
  const announced = new Response(jrd(HTTPS), { headers: { "Content-Length": "99999999" } });
  assert.deepEqual(await lookUp(serve(announced), noXml), []);
});

test("each caller gets its own array", async () => {
  const domain = serve(jrd(HTTPS, WSS));
  const first = await lookUp(domain, noXml);
  first.length = 0;
  first.push("https://evil.test/");
  const second = await lookUp(domain, noXml);
  assert.deepEqual(second, [WSS.href, HTTPS.href]);
  second.reverse();
  assert.deepEqual(await lookUp(domain.toUpperCase(), noXml), [WSS.href, HTTPS.href]);
  assert.equal(asked, 2);
});

test("a result is cached for an hour, a failure is not cached", async () => {
  const domain = serve(jrd(HTTPS));
  let now = 1_000_000;
  mock.method(Date, "now", () => now);
  assert.deepEqual(await lookUp(domain, noXml), [HTTPS.href]);
  now += 3_599_999;
  assert.deepEqual(await lookUp(domain, noXml), [HTTPS.href]);
  assert.equal(asked, 2);
  now += 1;
  await lookUp(domain, noXml);
  assert.equal(asked, 4);
  // A clock that was put back.
  now -= 10_000;
  await lookUp(domain, noXml);
  assert.equal(asked, 6);

  const empty = serve("{}");
  assert.deepEqual(await lookUp(empty, noXml), []);
  assert.deepEqual(await lookUp(empty, noXml), []);
  assert.equal(asked, 4);
});

test("options may be left out, or null", async () => {
  assert.deepEqual(await lookUp(serve(jrd(HTTPS)), noXml, null), [HTTPS.href]);
});
