// The samples of README.md and docs/ do what they say: the README's first example as it stands, in Node, against the demo's server;
// the others in pages, in the setting that setting.mjs gives them.
//
//   npm test -- --only samples        or, after a build: node --test tests/docs/samples.e2e.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { transform } from "esbuild";
import { chromium } from "playwright-core";
import { at } from "../../scripts/lib/project.mjs";
import { startDemo, startServer } from "../../scripts/demo.mjs";
import { startOrigin } from "../servers/origin.mjs";
import { startProsody } from "../servers/prosody.mjs";
import { PACKAGE, blocks, sampleModule, scripts } from "./samples.mjs";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
/** For what should happen at once: reached only when it does not happen at all. */
const LIMIT = 30_000;
const FIRST = "A first example";
/** Where the first example connects to; the demo of this test has another port. */
const DEMO = "http://127.0.0.1:8080";

test("the first example of the README, unchanged, prints the documented output", async (context) => {
  const server = await startServer();
  context.after(() => server.stop());
  const demo = await startDemo({ server, port: 0, pkg: PACKAGE });
  context.after(() => demo.stop());

  const [example] = scripts.filter(({ file, heading }) => file === "README.md" && heading === FIRST);
  assert.equal(example.text.split(DEMO).length, 2, "the example names the demo's address once");
  const folder = at("target/docs-first");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(path.join(folder, "node_modules"), { recursive: true });
  fs.symlinkSync(PACKAGE, path.join(folder, "node_modules/epode"), "dir");
  fs.writeFileSync(path.join(folder, "first.mjs"), example.text.replace(DEMO, demo.url));

  const expected = blocks.find(({ heading, language }) => heading === FIRST && language === "text").text.trim().split("\n");
  const patterns = expected.map((line) => new RegExp(`^${line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\d\d:\d\d:\d\d/, ".+")}$`, "m"));
  const child = spawn(process.execPath, ["first.mjs"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  context.after(() => child.kill());
  let output = "";
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it printed:\n${output}`)), LIMIT);
    const take = (chunk) => {
      output += chunk;
      if (!patterns.every((pattern) => pattern.test(output))) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("exit", (code) => reject(new Error(`it ended (${code}):\n${output}`)));
  });
});

let server;
let origin;
let browser;
/** What /sample.js is. */
let sample = "";

const ENTRIES = { epode: "/epode/index.js", "epode/stream": "/epode/stream.js", "epode/pubsub-client": "/epode/pubsub-client.js", "epode/juggernaut": "/epode/juggernaut.js" };
const PAGE = `<!doctype html><meta charset="utf-8"><title>sample</title>
<script type="importmap">${JSON.stringify({ imports: ENTRIES })}</script>
<script type="module">
const end = (text) => (globalThis.outcome = text);
addEventListener("unhandledrejection", ({ reason }) => end("unhandled: " + (reason?.stack ?? reason)));
addEventListener("error", ({ error, message }) => end("uncaught: " + (error?.stack ?? message)));
import("/sample.js").then(() => end("done"), (error) => end(String(error?.stack ?? error)));
</script>`;

before(async () => {
  server = await startProsody({ openPublish: true });
  await server.register("romeo", "pencil");
  await server.register("juliet", "pencil");
  origin = await startOrigin({
    roots: { "/epode": PACKAGE },
    bosh: server.bosh,
    before(request, response) {
      const found = { "/": ["text/html", PAGE], "/sample.js": ["text/javascript", sample] }[request.url];
      if (!found) return false;
      response.writeHead(200, { "Content-Type": `${found[0]}; charset=utf-8` }).end(found[1]);
      return true;
    },
  });
  browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
});
after(async () => {
  await browser?.close();
  await origin?.stop();
  await server?.stop();
});

for (const block of scripts.filter(({ setting }) => setting.runs !== false)) {
  test(`${block.file}, ${block.heading}, ${block.index}`, async () => {
    const { code } = await transform(sampleModule(block), { loader: "ts", target: "es2022" });
    sample = code.replaceAll("example.org", server.domain);
    const page = await browser.newPage();
    const lines = [];
    page.on("console", (message) => lines.push(message.text()));
    try {
      await page.goto(`${origin.url}/`);
      const found = await page.waitForFunction(() => globalThis.outcome, undefined, { timeout: LIMIT }).catch(() => undefined);
      const outcome = found ? await found.jsonValue() : "it did not come to its end";
      assert.equal(outcome, "done", `${block.file}:${block.line}\n${outcome}\nthe console:\n${lines.join("\n")}`);
    } finally {
      await page.close();
    }
  });
}
