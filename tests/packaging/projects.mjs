// Web projects that have the package among theirs, and the Chromium that runs what comes of them.

import fs from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { PKG, at, readJson } from "../../scripts/lib/project.mjs";
import { startOrigin } from "../servers/origin.mjs";

export const PACKAGE = process.env.EPODE_PACKAGE ?? PKG;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const POLICY = { "Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" };

let place;
let browser;

/** Starts the browser, and empties the folder of the projects: of that name under target/. */
export async function openBrowser(name) {
  place = at("target", name);
  fs.rmSync(place, { recursive: true, force: true });
  browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

export const closeBrowser = () => browser?.close();

let projects = 0;

/** A web project: index.html, main.js, and the package in a node_modules; `above`: in that of a folder above it, as in a workspace. */
export function project(main, { above = false, html = '<script type="module" src="./main.js"></script>', type = "module" } = {}) {
  const top = path.join(place, String((projects += 1)));
  const folder = above ? path.join(top, "packages/app") : top;
  fs.mkdirSync(folder, { recursive: true });
  fs.cpSync(PACKAGE, path.join(top, "node_modules/epode"), { recursive: true });
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type }));
  if (above) fs.writeFileSync(path.join(top, "package.json"), JSON.stringify({ private: true, workspaces: ["packages/*"] }));
  fs.writeFileSync(path.join(folder, "index.html"), `<!doctype html><html><head><meta charset="utf-8"></head><body>${html}</body></html>`);
  fs.writeFileSync(path.join(folder, "main.js"), main);
  return folder;
}

/** What a page comes to: its title, once it has one. */
async function outcome(url) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    await page.waitForFunction(() => document.title !== "", undefined, { timeout: 30_000 });
    return await page.title();
  } finally {
    await page.close();
  }
}

/** The same for a folder of files, under a strict policy; also which files were asked for. */
export async function served(folder, headers = POLICY) {
  const origin = await startOrigin({ roots: { "/": folder }, headers });
  try {
    return { title: await outcome(`${origin.url}/index.html`), asked: Object.keys(origin.counts) };
  } finally {
    await origin.stop();
  }
}

/** What a page comes to that Vite's development server serves. */
export async function developed(root, options = {}) {
  const server = await createServer({ root, configFile: false, logLevel: "error", server: { host: "127.0.0.1", port: 0, hmr: false, watch: null }, ...options });
  try {
    await server.listen();
    return await outcome(`http://127.0.0.1:${server.httpServer.address().port}/`);
  } finally {
    await server.close();
    // The server has said that this process develops; a build in it would believe that.
    delete process.env.NODE_ENV;
  }
}

/** What a plug-in such as @rollup/plugin-node-resolve does: the package's exports, and what it says of side effects. */
export function resolvePackage(root) {
  const folder = path.join(root, "node_modules/epode");
  const { exports, sideEffects } = readJson(path.join(folder, "package.json"));
  return {
    name: "resolve",
    resolveId(name, importer) {
      const entry = name === "epode" ? "." : name.startsWith("epode/") ? `.${name.slice("epode".length)}` : undefined;
      const file = entry ? path.join(folder, exports[entry].default) : importer?.startsWith(folder) ? path.resolve(path.dirname(importer), name) : undefined;
      if (!file) return null;
      return { id: file, moduleSideEffects: sideEffects.includes(`./${path.relative(folder, file)}`) };
    },
  };
}
