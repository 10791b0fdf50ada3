// README.md and docs/ as a reader of the package gets them: samples compile, links lead somewhere, commands and figures are right.
//
//   npm test -- --only docs        or, after a build: node --test tests/docs/markdown.test.mjs

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import zlib from "node:zlib";
import { at, readJson, which } from "../../scripts/lib/project.mjs";
import { compile } from "../../scripts/lib/packaging.mjs";
import { run } from "../../scripts/lib/run.mjs";
import { anchors, links } from "../../scripts/lib/samples.mjs";
import { FILES, PACKAGE, blocks, sampleModule, scripts, textOf } from "./samples.mjs";
import { SETTING } from "./setting.mjs";

const place = ({ file, line }) => `${file}:${line}`;

test("every sample compiles", async () => {
  assert.ok(scripts.length > 20, `${scripts.length} samples`);
  const folder = at("target/docs-samples");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(path.join(folder, "node_modules"), { recursive: true });
  fs.symlinkSync(PACKAGE, path.join(folder, "node_modules/epode"), "dir");
  const files = scripts.map((block, index) => {
    fs.writeFileSync(path.join(folder, `${index}.mts`), sampleModule(block));
    return `${index}.mts`;
  });
  // The package ws has no declarations of its own; what a client takes is checked all the same.
  fs.writeFileSync(path.join(folder, "ws.d.ts"), `declare module "ws" { export const WebSocket: import("epode").WebSocketClass; }\n`);
  // The declarations of Vite are not ours to check.
  const options = { module: "esnext", moduleResolution: "bundler", skipLibCheck: true };
  const { code, output } = await compile("typescript", folder, ["ws.d.ts", ...files], options);
  assert.equal(code, 0, `\n${output.replace(/^.*?(\d+)\.mts(?=\()/gm, (_, index) => `${place(scripts[index])}, in its setting, `)}`);
});

test("every sample of the README is run, or names the reason why not; no setting is unused", () => {
  for (const block of scripts.filter(({ file }) => file === "README.md")) {
    const { runs, why, after } = block.setting;
    assert.ok(runs === false ? why : after, `${place(block)}: tests/docs/setting.mjs has nothing for '${block.heading}'`);
  }
  const used = new Set(scripts.map(({ file, heading }) => `${file}#${heading}`));
  assert.deepEqual(Object.keys(SETTING).filter((key) => !used.has(key)), []);
});

test("every block names its language, and every command is in package.json", () => {
  const { scripts: commands } = readJson(at("package.json"));
  for (const block of blocks) {
    assert.ok(["js", "ts", "sh", "text", "nginx", "html"].includes(block.language), `${place(block)}: the language '${block.language}'`);
  }
  for (const file of FILES) {
    for (const [, name] of textOf(file).matchAll(/\bnpm run ([\w:-]+)/g)) assert.ok(name in commands, `${file}: npm run ${name}`);
  }
});

test("nginx accepts the configuration samples", async (context) => {
  if (!which("nginx")) return context.skip("nginx is not installed");
  const found = blocks.filter(({ language }) => language === "nginx");
  assert.ok(found.length > 0);
  for (const [index, block] of found.entries()) {
    const folder = at("target/docs-nginx");
    fs.mkdirSync(folder, { recursive: true });
    const file = path.join(folder, `${index}.conf`);
    const server = `server {\nlisten 127.0.0.1:1;\n${block.text}}\n`;
    fs.writeFileSync(file, `pid ${folder}/pid;\nerror_log ${folder}/log;\nevents {}\nhttp {\naccess_log off;\n${server}}\n`);
    await run("nginx", ["-t", "-q", "-c", file, "-e", path.join(folder, "log")], { show: "none" });
  }
});

test("every link leads to a file of the package, to a heading, or to an address", () => {
  let count = 0;
  for (const file of FILES) {
    for (const { line, target } of links(textOf(file))) {
      count += 1;
      if (/^https?:\/\//.test(target)) continue;
      assert.doesNotMatch(target, /^\/|^[a-z]+:/i, `${file}:${line}`);
      const [name, anchor] = target.split("#");
      const linked = name === "" ? file : path.posix.join(path.posix.dirname(file), name);
      assert.ok(fs.existsSync(path.join(PACKAGE, linked)), `${file}:${line}: the package does not hold ${linked}`);
      if (anchor !== undefined) assert.ok(anchors(textOf(linked)).includes(anchor), `${file}:${line}: ${linked} has no heading #${anchor}`);
    }
  }
  assert.ok(count > 5, `${count} links`);
});

test("the package holds these files as they are here", () => {
  for (const file of FILES) assert.equal(fs.readFileSync(path.join(PACKAGE, file), "utf8"), textOf(file), file);
});

test("the README's figures of the size are right to 3 %", () => {
  const files = ["index.js", "common.js", "epode_bg.wasm"].map((name) => fs.readFileSync(path.join(PACKAGE, name)));
  const sum = (compress) => files.map((bytes) => compress(bytes).length).reduce((a, b) => a + b) / 1024;
  const actual = {
    gzip: sum((bytes) => zlib.gzipSync(bytes, { level: 9 })),
    brotli: sum((bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } })),
  };
  for (const [name, kilobytes] of Object.entries(actual)) {
    const told = Number(new RegExp(`(\\d+) KB \\(${name}\\)`).exec(textOf("README.md"))?.[1]);
    assert.ok(Math.abs(told / kilobytes - 1) < 0.03, `README.md says ${told} KB ${name}; it is ${kilobytes.toFixed(1)}`);
  }
});

test("the README's versions are those that package.json and the build promise", () => {
  const text = textOf("README.md");
  const { engines } = readJson(path.join(PACKAGE, "package.json"));
  assert.equal(engines.node, `>=${/^\| Node \| (\d+) \|/m.exec(text)?.[1]}`);
  assert.match(text, /need TypeScript 5\.2 or later/);
  assert.equal(readJson(at("node_modules/typescript-5.2/package.json")).version.slice(0, 4), "5.2.");
});
