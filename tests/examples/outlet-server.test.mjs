// examples/python: nodes, rooms, accounts and large rows, with a server: examples/python/test_server.py.
//
//   EPODE_SERVER=ejabberd node --test tests/examples/outlet-server.test.mjs

import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { at, pythonEnvironment } from "../../scripts/lib/project.mjs";
import { siteSettings, startForSite } from "../../scripts/examples.mjs";

const SERVER = process.env.EPODE_SERVER || "prosody";

test(`the connection of a site, on ${SERVER}`, async (t) => {
  const { xmpp, password } = await startForSite(SERVER);
  t.after(() => xmpp.stop());
  execFileSync(path.join(pythonEnvironment("django"), "bin/python"), ["-m", "unittest", "-v", "test_server"], {
    cwd: at("examples/python"),
    env: { ...process.env, ...siteSettings(xmpp, password) },
    stdio: "inherit",
    timeout: 180_000,
  });
});
