// The pages of examples/strophe/ with an XMPP server of their own, on loopback.
//
//   npm run example:strophe [-- --port N]
//
// It gets what it needs, builds the package when something has changed, and stops what it started on Ctrl-C.

import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PKG, at } from "./lib/project.mjs";
import { main, onInterrupt } from "./lib/run.mjs";
import { build } from "./build.mjs";
import { setup } from "./setup.mjs";
import { startEjabberd } from "../tests/servers/ejabberd.mjs";
import { sleep } from "../tests/servers/lifecycle.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";
import { startProsody } from "../tests/servers/prosody.mjs";

const START = { prosody: startProsody, ejabberd: startEjabberd };

/** The pages in front of an XMPP server, prosody or ejabberd. `pkg`: the folder of the package. */
export async function startStrophePages({ server = "prosody", port, pkg = PKG } = {}) {
  const xmpp = await START[server]({ openPublish: true, persistent: true });
  const roots = { "/": at("examples/strophe"), "/epode": pkg, "/jquery": at("node_modules/jquery/dist") };
  const origin = await startOrigin({ roots, bosh: xmpp.bosh, ws: xmpp.ws, ...(port && { port }) });
  const stop = async () => {
    await origin.stop();
    await xmpp.stop();
  };
  /** Ends the server as a crash would, and starts it again at the same address. */
  const crash = async () => {
    await xmpp.kill();
    for (;;) {
      try {
        return await xmpp.start();
      } catch (error) {
        // The kernel takes its time to close what a large process had open.
        if (!/in use/.test(error.message)) throw error;
        await sleep(50);
      }
    }
  };
  return { url: origin.url, xmpp, crash, stop };
}

async function run() {
  const { values } = parseArgs({ options: { port: { type: "string" } } });
  await setup("demo");
  await build();
  const pages = await startStrophePages({ port: Number(values.port ?? 0) });
  onInterrupt(() => pages.stop());
  console.log(`\n  Chat       ${pages.url}/chat.html      open it twice\n  Headlines  ${pages.url}/feed.html\n\n  Stop with  Ctrl-C\n`);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main(run);
