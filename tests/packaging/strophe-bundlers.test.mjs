// `epode/strophe` as web projects and programs get it: by import, by require(), as a script tag; each run in Chromium or in Node.
//
//   npm test -- --only bundlers        or, after a build: node --test tests/packaging/strophe-bundlers.test.mjs

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { build as viteBuild } from "vite";
import { at } from "../../scripts/lib/project.mjs";
import { run } from "../../scripts/lib/run.mjs";
import { PACKAGE, closeBrowser, developed, openBrowser, project, resolvePackage, served } from "./projects.mjs";

before(() => openBrowser("strophe-bundlers"));
after(() => closeBrowser());

/** Connects in the turn that loads the library; the module is there, or this throws. */
const USE = `
const told = [];
const connection = new Strophe.Connection("http://127.0.0.1:9/http-bind");
connection.connect("a@b.example", "x", (status) => told.push(status));
const seen = ["ready", String($msg({ to: "<" })), told.join(), globalThis.Strophe === Strophe].join(" ");
`;
const SHOW = `${USE} document.title = seen;`;
const READY = 'ready <message to="&lt;" xmlns="jabber:client"/> 1 true';
const IMPORT = 'import { Strophe, $msg } from "epode/strophe";';
const REQUIRE = 'const { Strophe, $msg } = require("epode/strophe");';

test("vite dev: import", async () => {
  assert.equal(await developed(project(IMPORT + SHOW)), READY);
});

test("vite build: import; nothing else is asked for", async () => {
  const root = project(IMPORT + SHOW);
  await viteBuild({ root, configFile: false, logLevel: "error" });
  const { title, asked } = await served(path.join(root, "dist"));
  assert.equal(title, READY);
  assert.ok(!asked.some((file) => file.endsWith(".wasm")), asked.join());
});

/** A plugin as they are on npm: CommonJS, or a script that takes the global; it requires strophe.js. */
const PLUGIN = `
(function (root, factory) {
  if (typeof define === "function" && define.amd) define(["strophe.js"], factory);
  else if (typeof exports === "object") factory(require("strophe.js"));
  else factory(root);
})(this, function (library) {
  var Strophe = library.Strophe || library;
  Strophe.addConnectionPlugin("old", { init: function (connection) { connection.isPluggedIn = true; } });
});
`;
const WITH_PLUGIN = 'import { Strophe } from "strophe.js"; import "strophejs-plugin-old"; document.title = "plugged in: " + new Strophe.Connection("/x").isPluggedIn;';

/** A project with that plugin among its packages. */
function pluggedIn() {
  const root = project(WITH_PLUGIN);
  const folder = path.join(root, "node_modules/strophejs-plugin-old");
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "strophejs-plugin-old", version: "1.0.0", main: "index.js" }));
  fs.writeFileSync(path.join(folder, "index.js"), PLUGIN);
  return root;
}

test("vite build and dev: a plugin of npm, with the alias of the guide", async () => {
  const resolve = { alias: { "strophe.js": "epode/strophe" } };
  const root = pluggedIn();
  await viteBuild({ root, configFile: false, logLevel: "error", resolve });
  assert.equal((await served(path.join(root, "dist"))).title, "plugged in: true");
  assert.equal(await developed(root, { resolve }), "plugged in: true");
});

const BUNDLERS = {
  async rollup(input, file) {
    const bundle = await rollup({ input, plugins: [resolvePackage(path.dirname(input))], logLevel: "silent" });
    await bundle.write({ file, format: "es" });
    await bundle.close();
  },
  async esbuild(input, outfile) {
    await esbuild({ entryPoints: [input], bundle: true, format: "esm", outfile, logLevel: "silent" });
  },
  async "esbuild, a classic script"(input, outfile) {
    await esbuild({ entryPoints: [input], bundle: true, format: "iife", outfile, logLevel: "silent" });
  },
  async "esbuild with require(), a classic script"(input, outfile) {
    await esbuild({ entryPoints: [input], bundle: true, format: "iife", outfile, logLevel: "silent" });
  },
};

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  test(`${name}: the module is inside`, async () => {
    const html = name.endsWith("script") ? '<script src="./main.js"></script>' : undefined;
    const root = project((name.includes("require") ? REQUIRE : IMPORT) + SHOW, { html, type: name.includes("require") ? "commonjs" : "module" });
    const out = path.join(root, "dist");
    fs.mkdirSync(out);
    await bundle(path.join(root, "main.js"), path.join(out, "main.js"));
    fs.copyFileSync(path.join(root, "index.html"), path.join(out, "index.html"));
    const { title, asked } = await served(out);
    assert.equal(title, READY);
    assert.ok(!asked.some((file) => file.endsWith(".wasm")), asked.join());
  });
}

test("esbuild: a plugin of npm, with the alias of the guide", async () => {
  const root = pluggedIn();
  const out = path.join(root, "dist");
  await esbuild({
    entryPoints: [path.join(root, "main.js")],
    bundle: true,
    format: "esm",
    outfile: path.join(out, "main.js"),
    alias: { "strophe.js": "epode/strophe" },
    absWorkingDir: root,
    logLevel: "silent",
  });
  fs.copyFileSync(path.join(root, "index.html"), path.join(out, "index.html"));
  assert.equal((await served(out)).title, "plugged in: true");
});

test("a script tag: the globals are there for the script that follows, and for a plugin", async () => {
  const html = ["node_modules/epode/strophe.global.js", "plugin.js", "main.js"].map((src) => `<script src="./${src}"></script>`).join("");
  const root = project(`${USE} document.title = seen + " " + connection.isPluggedIn;`, { html });
  fs.writeFileSync(path.join(root, "plugin.js"), PLUGIN);
  const { title } = await served(root);
  assert.equal(title, `${READY} true`);
});

test("an import map: a plugin that imports strophe.js", async () => {
  const map = { imports: { "strophe.js": "./node_modules/epode/strophe.js" } };
  const html = `<script type="importmap">${JSON.stringify(map)}</script><script type="module" src="./main.js"></script>`;
  const root = project(`import { Strophe, $msg } from "strophe.js"; ${SHOW}`, { html });
  const { title } = await served(root, { "Content-Security-Policy": "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'" });
  assert.equal(title, READY);
});

const NODE = `${USE} console.log(seen); process.exit();`;

for (const [name, source] of [
  ["program.mjs", IMPORT + NODE],
  ["program.cjs", REQUIRE + NODE],
]) {
  test(`Node: ${name}`, async () => {
    const root = project("");
    fs.writeFileSync(path.join(root, name), source);
    const { output } = await run(process.execPath, [name], { cwd: root, show: "none" });
    assert.equal(output.trim(), READY);
  });

  test(`Node without @xmldom/xmldom: ${name} gets an error that names it`, async (t) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "epode-node-"));
    t.after(() => fs.rmSync(root, { recursive: true, force: true }));
    fs.cpSync(PACKAGE, path.join(root, "node_modules/epode"), { recursive: true });
    const [load] = source.split("\n");
    fs.writeFileSync(path.join(root, name), `${load}\ntry { $msg({ to: "a" }).tree(); } catch (error) { console.log(error.name, error.message); }`);
    const { output } = await run(process.execPath, [name], { cwd: root, show: "none" });
    assert.match(output, /^DomMissingError .*npm install @xmldom\/xmldom/);
  });
}

test("a bundle for Node: esbuild leaves the peer dependency where it is", async () => {
  const root = project(IMPORT + NODE);
  const outfile = path.join(root, "dist/program.mjs");
  await esbuild({ entryPoints: [path.join(root, "main.js")], bundle: true, format: "esm", platform: "node", outfile, logLevel: "silent" });
  const { output } = await run(process.execPath, [outfile], { cwd: at("."), show: "none" });
  assert.equal(output.trim(), READY);
});
