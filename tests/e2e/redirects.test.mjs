// Redirects (`see-other-uri`) and mechanisms, from a page's options to the wire: in Node, against scripted services.

import assert from "node:assert/strict";
import http from "node:http";
import { after, test } from "node:test";
import { PKG } from "../../scripts/lib/project.mjs";
import { freePort } from "../servers/lifecycle.mjs";
import { answer, service, wrap } from "./scripted.mjs";

const epode = await import(new URL("node.js", `file://${process.env.EPODE_PACKAGE ?? PKG}/`));
const servers = [];
after(() => servers.forEach((server) => (server.closeAllConnections(), server.close())));

/** A service at an origin of its own, which notes the headers of each request. */
async function scripted(steps) {
  const script = service(steps);
  const seen = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      seen.push({ headers: request.headers, body });
      script({ request, response, body });
    });
  });
  const port = await freePort();
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  servers.push(server);
  return { url: `http://127.0.0.1:${port}/bosh`, seen };
}

const OPTIONS = { domain: "scripted.example", timeout: 20_000 };
const elsewhere = (url) => ({ response }) => {
  answer(response, wrap(`<uri>${url}</uri>`, " type='terminate' condition='see-other-uri'"));
  return true;
};

test("the page's headers do not follow a redirect to another origin", async () => {
  const other = await scripted();
  const first = await scripted({ open: elsewhere(other.url) });
  const client = new epode.Client(first.url, {
    ...OPTIONS,
    anonymous: true,
    headers: { Authorization: "Bearer t0k3n", "X-Secret": "s3cr3t" },
    withCredentials: true,
    contentType: "text/plain; charset=utf-8",
  });
  await client.connect();
  await client.disconnect();
  assert.equal(first.seen[0].headers.authorization, "Bearer t0k3n");
  assert.equal(first.seen[0].headers["x-secret"], "s3cr3t");
  assert.ok(other.seen.length > 2);
  for (const { headers } of other.seen) {
    assert.equal(headers.authorization, undefined);
    assert.equal(headers["x-secret"], undefined);
    assert.equal(headers["content-type"], "text/plain; charset=utf-8");
  }
});

test("an abandoned attempt does not settle the next one", async () => {
  let calls = 0;
  // The first session request is never answered.
  const steps = { open: () => (calls += 1) === 1 };
  const { url } = await scripted(steps);
  const client = new epode.Client(url, { ...OPTIONS, anonymous: true });
  const controller = new AbortController();
  const abandoned = client.connect({ signal: controller.signal });
  while (calls === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  controller.abort();
  await assert.rejects(abandoned);
  await client.connect();
  assert.equal(client.status, "online");
  await client.disconnect();
});

test("the password function of an abandoned attempt does not affect the next one", async () => {
  let calls = 0;
  const given = [];
  const { url } = await scripted({
    open: ({ response }) => {
      const mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
      answer(response, wrap(`<stream:features>${mechanisms}</stream:features>`, " sid='s1' wait='60' hold='1' requests='2' ver='1.11'"));
      return true;
    },
    // Nothing is held: the login comes while a request is.
    online: ({ response }) => {
      answer(response, wrap());
      return true;
    },
    auth: ({ body }) => void given.push(Buffer.from(/<auth [^>]*>([^<]*)/.exec(body)[1], "base64").toString()),
  });
  const answers = [];
  const password = () => new Promise((resolve) => (answers.push(resolve), (calls += 1)));
  const client = new epode.Client(url, { jid: "romeo@scripted.example", password });
  const controller = new AbortController();
  const abandoned = client.connect({ signal: controller.signal });
  while (calls < 1) await new Promise((resolve) => setTimeout(resolve, 10));
  controller.abort();
  await assert.rejects(abandoned);
  const next = client.connect();
  while (calls < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  answers[0]("old");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(given, []);
  answers[1]("new");
  await next;
  assert.deepEqual(given, ["\0romeo\0new"]);
  await client.disconnect();
});

test("the option 'mechanisms'", async () => {
  const { url } = await scripted();
  for (const mechanisms of [[], ["SCRAM-MD5"], ["scram-sha-1"], "PLAIN", [1]]) {
    assert.throws(
      () => new epode.Client(url, { ...OPTIONS, anonymous: true, mechanisms }),
      { code: "bad-argument", message: /'mechanisms'/ },
      JSON.stringify(mechanisms),
    );
  }
  const client = new epode.Client(url, { ...OPTIONS, anonymous: true, mechanisms: ["SCRAM-SHA-256"] });
  await assert.rejects(client.connect(), { code: "no-mechanism" });
  const allowed = new epode.Client(url, { ...OPTIONS, anonymous: true, mechanisms: ["ANONYMOUS"] });
  await allowed.connect();
  await allowed.disconnect();
});
