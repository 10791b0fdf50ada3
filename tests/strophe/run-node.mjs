// Runs the specifications on one library in this process, and prints the results as one line of JSON.
//
//   node run-node.mjs npm|epode ORIGIN FOLDER_OF_THE_PACKAGE [ONLY]

import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { completeNode } from "./polyfills.mjs";

const [, , name, origin, folder, only] = process.argv;

completeNode(name);
// epode's transport takes the platform's WebSocket, which Node has since version 22.
if (name === "epode") globalThis.WebSocket ??= createRequire(import.meta.url)("ws");

/** The package's entry for Node. */
function entry() {
  const { exports } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  return pathToFileURL(path.join(folder, exports["./strophe"].node)).href;
}

const library = await import(name === "npm" ? "strophe.js" : entry());
const lib = { ...library };
lib.Strophe.setLogLevel(lib.Strophe.LogLevel.FATAL);
console.error = () => {};
// As in a page: what a callback of the library throws is an error of the console.
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});
const { runSpecs } = await import("./specs/index.mjs");
const results = await runSpecs(lib, { where: "node", origin, only });
fs.writeSync(1, JSON.stringify(results));
// Connections that a specification left open.
process.exit(0);
