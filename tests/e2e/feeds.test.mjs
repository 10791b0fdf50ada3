// Many feeds on one connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment({ server: { persistent: false } });

const NODES = 1000;
/** These get many items, all others one. */
const BUSY = [0, 499, 999];
const MANY = 40;

test("a thousand nodes on one connection: each feed gets all of its own items in order, and no others", async () => {
  const page = await env.page();
  const [owner, reader] = await env.accounts(2);
  const prefix = env.name("/many/");
  const result = await page.evaluate(
    async ({ owner, reader, prefix, NODES, BUSY, MANY }) => {
      const [publisher, client] = await Promise.all([epode.connect(BOSH, owner), epode.connect(BOSH, reader)]);
      const { xml } = epode;
      const nodes = Array.from({ length: NODES }, (_, number) => `${prefix}/${number}`);
      const publish = (node, id) => publisher.pubsub.publish(node, xml`<entry xmlns="urn:example:feed" of="${node}"/>`, { id });
      await window.within(Promise.all(nodes.map((node) => publisher.pubsub.createNode(node))), "1,000 nodes");
      // Half of them hold something already.
      await Promise.all(nodes.filter((_, number) => number % 2 === 0).map((node) => publish(node, "held")));

      const told = new Map(nodes.map((node) => [node, []]));
      const strays = [];
      const all = inbox("an item");
      const feeds = await window.within(
        Promise.all(
          nodes.map((node) =>
            client.pubsub.subscribe(node, (item) => {
              if (item.node !== node || item.payload.attr("of") !== node) strays.push([node, item.node, item.id]);
              told.get(node).push(item.id);
              all.push(item.id);
            }),
          ),
        ),
        "1,000 feeds",
      );
      await all.until(NODES / 2);
      const rounds = Array.from({ length: MANY }, (_, round) => round);
      await Promise.all(nodes.map((node) => publish(node, "one")));
      for (const round of rounds) await Promise.all(BUSY.map((number) => publish(nodes[number], `more ${round}`)));
      const expected = nodes.map((_, number) => [...(number % 2 === 0 ? ["held"] : []), "one", ...(BUSY.includes(number) ? rounds.map((round) => `more ${round}`) : [])]);
      await all.until(expected.flat().length);
      // What comes late comes before the answer to this.
      await client.pubsub.items(nodes[0]);
      const wrong = nodes.filter((node, number) => told.get(node).join() !== expected[number].join()).map((node) => [node, told.get(node)]);
      const kept = feeds.filter((feed, number) => [...feed.items.keys()].join() !== expected[number].join()).map((feed) => feed.node);
      const states = new Set(feeds.map((feed) => feed.state));
      await Promise.all([publisher.disconnect(), client.disconnect()]);
      return { strays, wrong, kept, states: [...states] };
    },
    { owner, reader, prefix, NODES, BUSY, MANY },
  );
  assert.deepEqual(result, { strays: [], wrong: [], kept: [], states: ["subscribed"] });
});
