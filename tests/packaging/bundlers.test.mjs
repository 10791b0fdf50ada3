// The package through the bundlers of web projects: a page that imports it gets the module, or an error that says what to do.
//
//   npm test -- --only bundlers        or, after a build: node --test tests/packaging/bundlers.test.mjs

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { build as viteBuild } from "vite";
import { run } from "../../scripts/lib/run.mjs";
import { PACKAGE, closeBrowser, developed, openBrowser, project, resolvePackage, served } from "./projects.mjs";

/** Loads the module, and says what came of it. */
const report = (from, more = "") => `
import { Client, init, xml } from ${JSON.stringify(from)};
${more}
init().then(
  () => (document.title = "ready " + String(xml\`<a b="\${"<"}"/>\`) + " " + new Client("/bosh", { domain: "example.org", anonymous: true }).status),
  (error) => (document.title = error.name + " " + error.code + ": " + error.message),
);
`;
const READY = 'ready <a b="&lt;"/> offline';
const OLDER = `
import { Juggernaut } from "epode/juggernaut";
import { PubSubClient } from "epode/pubsub-client";
globalThis.older = [Juggernaut, PubSubClient];
`;

/** Loads the module of a stream by hand, and the main one beside it. */
const BY_HAND = `
import { Client, XmppError as Main } from "epode";
import { Stream, XmppError, init, xml } from "FROM";
init().then(
  () => (document.title = "ready " + [new Stream("/bosh", { domain: "example.org" }).isBosh, XmppError === Main, xml\`<a/>\`, typeof Client].join(" ")),
  (error) => (document.title = error.name + " " + error.code + ": " + error.message),
);
`;
const BY_HAND_READY = "ready true true <a/> function";
const byHand = (from = "epode/stream") => BY_HAND.replace("FROM", from);

before(() => openBrowser("bundlers"));
after(() => closeBrowser());

test("vite dev, a plain project: the main entry works, and those of older systems with it", async () => {
  assert.equal(await developed(project(report("epode", OLDER))), READY);
});

test("vite dev, an entry of an older system alone", async () => {
  const main = `
    import { Juggernaut } from "epode/juggernaut";
    const jug = new Juggernaut({ service: "http://127.0.0.1:9/http-bind", domain: "example.org" });
    jug.on("error", (error) => (document.title = error.code));
    jug.connect();
  `;
  // The module is there: what is missing is a service.
  const code = await developed(project(main));
  assert.notEqual(code, "module-unavailable");
});

test("vite dev, a stream by hand", async () => {
  assert.equal(await developed(project(byHand())), BY_HAND_READY);
});

test("vite dev, a package that is installed above the project", async () => {
  assert.equal(await developed(project(report("epode"), { above: true })), READY);
});

test("vite dev without the condition `development`: the error names the cure, and each cure works", async () => {
  const conditions = { resolve: { conditions: ["module", "browser"] } };
  const title = await developed(project(report("epode")), conditions);
  assert.match(title, /^XmppError module-unavailable: /);
  assert.match(title, /optimizeDeps: \{ exclude: \["epode"\] \}/);
  assert.match(title, /"epode\/inline"/);
  assert.equal(await developed(project(report("epode/inline")), conditions), READY);
  assert.equal(await developed(project(report("epode")), { ...conditions, optimizeDeps: { exclude: ["epode"] } }), READY);
});

test("vite build: the module is a separate file; inlined, it is not requested", async () => {
  for (const [from, asks] of [
    ["epode", true],
    ["epode/inline", false],
  ]) {
    const root = project(report(from, OLDER));
    await viteBuild({ root, configFile: false, logLevel: "error" });
    const { title, asked } = await served(path.join(root, "dist"));
    assert.equal(title, READY, from);
    assert.equal(asked.some((name) => name.endsWith(".wasm")), asks, from);
  }
});

test("vite build, a stream by hand: its module is a file of its own; inlined, it is not asked for", async () => {
  for (const [from, asked] of [
    ["epode/stream", ["epode_stream_bg"]],
    ["epode/stream/inline", []],
  ]) {
    const root = project(byHand(from));
    await viteBuild({ root, configFile: false, logLevel: "error" });
    const { title, asked: files } = await served(path.join(root, "dist"));
    assert.equal(title, BY_HAND_READY, from);
    const modules = files.filter((name) => name.endsWith(".wasm")).map((name) => /^.*\/(\w+_bg)[-.]/.exec(name)?.[1]);
    assert.deepEqual(modules, asked, "nothing loads the main module");
  }
});

const BUNDLERS = {
  async rollup(root, out) {
    const bundle = await rollup({ input: path.join(root, "main.js"), plugins: [resolvePackage(root)], logLevel: "silent" });
    await bundle.write({ file: path.join(out, "main.js"), format: "es" });
    await bundle.close();
  },
  async esbuild(root, out) {
    await esbuild({ entryPoints: [path.join(root, "main.js")], bundle: true, format: "esm", outdir: out, logLevel: "silent" });
  },
  async "esbuild, a classic script"(root, out) {
    await esbuild({ entryPoints: [path.join(root, "main.js")], bundle: true, format: "iife", outdir: out, logLevel: "silent" });
  },
};

/** A project through a bundler; resolves with the folder that is served. */
async function bundled(name, from, main = report(from, OLDER)) {
  const html = name.endsWith("script") ? '<script src="./main.js"></script>' : undefined;
  const root = project(main, { html });
  const out = path.join(root, "dist");
  await BUNDLERS[name](root, out);
  fs.copyFileSync(path.join(root, "index.html"), path.join(out, "index.html"));
  return out;
}

for (const name of Object.keys(BUNDLERS)) {
  test(`${name}: without the file the error names the solutions, and each solution works`, async () => {
    const without = await bundled(name, "epode");
    const { title } = await served(without);
    assert.match(title, /^XmppError module-unavailable: .*[Cc]opy epode_bg\.wasm.*"epode\/inline"/);
    // A classic script has no address that a file could be relative to.
    if (!name.endsWith("script")) {
      fs.copyFileSync(path.join(PACKAGE, "epode_bg.wasm"), path.join(without, "epode_bg.wasm"));
      assert.equal((await served(without)).title, READY);
    }
    const { title: inlined, asked } = await served(await bundled(name, "epode/inline"));
    assert.equal(inlined, READY);
    assert.ok(!asked.some((file) => file.endsWith(".wasm")), asked.join());
  });

  test(`${name}: a stream by hand, with its module beside the script or inside`, async () => {
    const without = await bundled(name, "epode/stream", byHand());
    const { title } = await served(without);
    assert.match(title, /^XmppError module-unavailable: .*[Cc]opy epode_stream_bg\.wasm.*"epode\/stream\/inline"/);
    if (!name.endsWith("script")) {
      fs.copyFileSync(path.join(PACKAGE, "epode_stream_bg.wasm"), path.join(without, "epode_stream_bg.wasm"));
      assert.equal((await served(without)).title, BY_HAND_READY);
    }
    const { title: inlined, asked } = await served(await bundled(name, "epode/stream/inline", byHand("epode/stream/inline")));
    assert.equal(inlined, BY_HAND_READY);
    assert.ok(!asked.some((file) => file.endsWith(".wasm")), asked.join());
  });
}

test("a plain page: the inlined entry requests no module; with the main entry there is one module", async () => {
  const main = `
    import * as inline from "./node_modules/epode/inline.js";
    import * as entry from "./node_modules/epode/index.js";
    const { init, Client } = inline;
    const names = Object.keys(entry);
    const differs = names.filter((name) => inline[name] !== entry[name]);
    const found = [Client === entry.Client, names.length >= 13, ...differs].join(" ");
    init().then(() => (document.title = "ready " + found), (error) => (document.title = error.message));
  `;
  const root = project(main);
  const { title, asked } = await served(root);
  // All that is public is in both, and the same.
  assert.equal(title, "ready true true");
  assert.ok(!asked.some((file) => file.endsWith(".wasm")), asked.join());
});

test("Node: the inlined entry reads no file", async () => {
  const root = project("");
  fs.rmSync(path.join(root, "node_modules/epode/epode_bg.wasm"));
  const program = `
    import { init, Client } from "epode/inline";
    import { Juggernaut } from "epode/juggernaut";
    import { Client as Main } from "epode";
    await init();
    console.log(Client === Main, typeof Juggernaut);
  `;
  fs.writeFileSync(path.join(root, "program.mjs"), program);
  const { output } = await run(process.execPath, ["program.mjs"], { cwd: root, show: "none" });
  assert.equal(output.trim(), "true function");
});

test("Node: a stream by hand, and epode/strophe, have one module and the main entry's errors", async () => {
  const root = project("");
  fs.rmSync(path.join(root, "node_modules/epode/epode_bg.wasm"));
  const program = `
    import { XmppError } from "epode";
    import { Stream, XmppError as ByHand, init } from "epode/stream";
    import { Stream as Inline } from "epode/stream/inline";
    import { Strophe } from "epode/strophe";
    await init();
    const stream = new Stream("http://127.0.0.1:9/bosh", { domain: "example.org" });
    console.log(XmppError === ByHand, Stream === Inline, stream.isBosh, typeof Strophe.Connection);
  `;
  fs.writeFileSync(path.join(root, "program.mjs"), program);
  const { output } = await run(process.execPath, ["program.mjs"], { cwd: root, show: "none" });
  assert.equal(output.trim(), "true true true function");
});
