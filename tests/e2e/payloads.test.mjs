// What an item's payload becomes: its value and format, decoded when they are read, and once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

test("an item's value and format are read lazily, once; a page's own decoder takes the place of epode's", async () => {
  const page = await env.page();
  const account = await env.account();
  const result = await page.evaluate(
    async ({ account, node }) => {
      const { connect, xml } = epode;
      const client = await connect(BOSH, account);
      await client.pubsub.createNode(node);
      const plain = inbox("an item");
      const own = inbox("an item for the decoder");
      const calls = [];
      const decode = (payload) => {
        calls.push(payload.name);
        if (payload.name === "bad") throw new Error("not mine");
      };
      const result = {};
      await client.pubsub.subscribe(node, plain.push);
      await client.pubsub.subscribe(node, own.push, { decode });
      await client.pubsub.publish(node, xml`<json xmlns="urn:xmpp:json:0">${'{"a":[1,"<&>😀"]}'}</json>`, { id: "1" });
      await client.pubsub.publish(node, xml`<bad xmlns="urn:example:feed"><x/></bad>`, { id: "2" });
      await plain.until(2);
      await own.until(2);
      const [json, other] = plain.got;
      result.kinds = [json, other].map(({ id, node: of, via, format }) => [id, of === node, via, format]);
      result.value = json.value;
      result.same = json.value === json.value && other.value === other.payload;
      result.fields = Object.keys(json);
      result.before = [...calls];
      result.own = [own.got[0].value, own.got[0].value, own.got[0].format];
      result.thrown = (await failure(async () => own.got[1].value)).message;
      result.calls = calls;
      const held = await client.pubsub.items(node, { decode: ({ name }) => name });
      result.held = held.map(({ id, value, via }) => [id, value, via]).sort();
      result.wrong = [];
      for (const call of ["subscribe", "items"]) {
        const { code, message } = await failure(client.pubsub[call](node, { decode: "json" }));
        result.wrong.push([code, message]);
      }
      await client.disconnect();
      return result;
    },
    { account, node: env.name("node") },
  );
  assert.deepEqual(result.kinds, [
    ["1", true, "live", "json"],
    ["2", true, "live", "stanza"],
  ]);
  assert.deepEqual(result.value, { a: [1, "<&>😀"] });
  assert.equal(result.same, true);
  assert.deepEqual(result.fields, ["id", "node", "payload", "publisher", "time", "receivedAt", "via"]);
  assert.deepEqual(result.before, [], "nothing is decoded that nobody reads");
  assert.deepEqual(result.own, [undefined, undefined, "json"]);
  assert.equal(result.thrown, "not mine");
  assert.deepEqual(result.calls, ["json", "bad"], "once for each item");
  assert.deepEqual(result.held, [
    ["1", "json", "items"],
    ["2", "bad", "items"],
  ]);
  const problem = ["bad-argument", "The option 'decode' is a function of the payload."];
  assert.deepEqual(result.wrong, [problem, problem]);
});
