// Published plugins of Strophe, unmodified, and fixtures of the kinds of 2008 to 2015: the main call of each, in a page with
// strophe.js 5.0.0 and in one with `epode/strophe`, against a real server. Both see the same.

import assert from "node:assert/strict";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LIMIT, SERVER, environment } from "../e2e/support.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, "../..");
const env = environment();
let origin;
const rows = [];

/** The pages' own origin, with the scripts as npm installs them. */
async function started() {
  const folder = (name) => path.join(ROOT, name);
  const roots = { "/": HERE, "/epode": env.package, "/modules": folder("node_modules"), "/suite": folder("tests/strophe"), "/examples": folder("examples/strophe") };
  return (origin ??= await env.serve({ roots }));
}

const of = (name, file) => `/modules/strophejs-plugin-${name}/${file ?? `lib/strophe.${name}.js`}`;
const DISCO = of("disco");
const RSM = of("rsm");

/** Registration plugins call `_reqToData`, which 5.0.0 has over BOSH alone, and send requests without an id. */
const REGISTER = {
  alone: {
    ws: "strophe.js 5.0.0 has no _reqToData over WebSocket",
    ...(SERVER === "ejabberd" && { bosh: "ejabberd refuses the requests of strophe.js, which have no id" }),
  },
};

/** The scripts of each call, and over which transports it is made. `alone`: why, over a transport, there is nothing to compare with. */
const PLUGINS = {
  register: { scripts: [of("register", "strophe.register.js")], ...REGISTER },
  ping: { scripts: [of("ping", "strophe.ping.js")] },
  vcard: { scripts: [of("vcard", "strophe.vcard.js")] },
  disco: { scripts: [DISCO] },
  caps: { scripts: [of("caps", "sha1.js"), DISCO, of("caps")] },
  roster: { scripts: [of("roster")] },
  bookmarks: { scripts: [of("bookmarks")] },
  pubsub: { scripts: [of("pubsub")] },
  muc: { scripts: [of("muc")] },
  rsm: { scripts: [RSM], over: ["bosh"] },
  mam: { scripts: [RSM, of("mam")] },
  streamManagement: { module: of("stream-management", "src/strophe.stream-management.js"), over: ["ws"] },
  register2011: { scripts: ["/examples/strophe.register.js"], over: ["bosh"], alone: { bosh: "no Strophe since 1.1 runs it" } },
  register2013: { scripts: ["/old/register-2013.js"], ...REGISTER },
  register2015: { scripts: ["/old/register-2015.js"], ...REGISTER },
  resumption: { scripts: ["/old/resumption.js"], over: ["ws"] },
  pubsub2008: { scripts: ["/examples/strophe.pubsub.js"] },
};

/** What is different with each account, node and session. */
function mask(result, given) {
  let text = JSON.stringify(result, null, 1);
  for (const [name, word] of given) text = text.replaceAll(name, word);
  return text
    .replace(/@localhost\/[^"<> \\]+/g, "@localhost/RESOURCE")
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(:\w+)?/g, "UUID")
    .replace(/ id=\\"[^"]*\\"/g, ' id=\\"ID\\"')
    .replace(/(stamp|ver)=\\"[^"]*\\"/g, '$1=\\"…\\"');
}

async function called(name, library, over, { scripts = [], module }) {
  await started();
  const [account, other] = await env.accounts(2);
  const unique = env.name("node");
  const fresh = env.name("fresh");
  const service = over === "ws" ? `${origin.url.replace("http", "ws")}/ws` : "/http-bind";
  const query = new URLSearchParams({ library, plugins: scripts.join(","), ...(module && { module }) });
  const page = await env.page({ origin, file: `/page.html?${query}` });
  const result = await page.evaluate(
    ([limit, call, given]) => {
      const late = new Promise((resolve) => setTimeout(() => resolve({ thrown: `it did not end; statuses: ${window.seen}` }), limit));
      const done = window.calls[call](given).then(window.show.shown, (error) => ({ thrown: `${error?.message ?? error}` }));
      return Promise.race([late, done]);
    },
    [LIMIT, name, { ...env.names, service, ...account, other: { service, ...other }, unique, name: fresh, password: account.password }],
  );
  // What a plugin throws in a callback of its own is the same with both.
  const problems = page.problems.splice(0);
  await page.close();
  const users = [account, other].map(({ jid }) => jid.split("@")[0]);
  return mask({ result, problems }, [[fresh, "FRESH"], [unique, "NODE"], [users[0], "USER"], [users[1], "OTHER"]]);
}

for (const [name, plugin] of Object.entries(PLUGINS)) {
  for (const over of plugin.over ?? ["bosh", "ws"]) {
    test(`${name} over ${over}`, async () => {
      const alone = plugin.alone?.[over];
      const ours = await called(name, "ours", over, plugin);
      const reference = alone ? undefined : await called(name, "reference", over, plugin);
      rows.push([name, over, alone ? `works; ${alone}` : ours === reference ? "same" : "differs"]);
      assert.doesNotMatch(ours, /"thrown"/);
      if (!alone) assert.equal(ours, reference);
    });
  }
}

after(() => {
  console.log(`\nplugin            transport  beside strophe.js 5.0.0, ${SERVER}`);
  for (const [name, over, result] of rows) console.log(`${name.padEnd(18)}${over.padEnd(11)}${result}`);
});
