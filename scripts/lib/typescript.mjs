// The package's sources in TypeScript, for tests that need neither the module nor a browser.

import path from "node:path";
import { at } from "./project.mjs";

/** The exports of `pkg-template/src/NAME.ts`, compiled with all that it imports; what wasm-bindgen makes is not there. */
export async function importSource(name) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [path.join(at("pkg-template/src"), `${name}.ts`)],
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["./epode.js", "node:*"],
    write: false,
    logLevel: "silent",
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
