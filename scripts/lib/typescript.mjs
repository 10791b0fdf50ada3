// The package's sources in TypeScript, for tests that need neither the module nor a browser.

import { at } from "./project.mjs";

/** The exports of these files of `pkg-template/src`, compiled with all that they import; what wasm-bindgen makes is not there. */
export async function importSources(...names) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    stdin: { contents: [...names.map((name) => `export * from "./${name}.js";`), ADDRESSES].join("\n"), resolveDir: at("pkg-template/src") },
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    plugins: [WITHOUT_MODULE],
    write: false,
    logLevel: "silent",
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

/** In place of a module: what reads addresses, roughly. */
const ADDRESSES = `import { normalizeBy } from "./jid.js";
normalizeBy((text) => {
  if (/^@|\\0/.test(text)) throw "an address that the stand-in for the module refuses";
  return text.toLowerCase();
});`;

/** In place of what wasm-bindgen makes: what calls a module fails. */
const GLUE = `export class Core {}
export class SaslCore {}
export class StreamCore {}
export const normalizeJid = () => {};
export const initSync = () => {};
export default () => {};`;

const WITHOUT_MODULE = {
  name: "without-module",
  setup(build) {
    build.onResolve({ filter: /^\.\/epode(_stream)?\.js$/ }, ({ path }) => ({ path, namespace: "none" }));
    build.onLoad({ filter: /./, namespace: "none" }, () => ({ contents: GLUE }));
  },
};
