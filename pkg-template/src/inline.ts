// The entry with the WebAssembly module inside the script, for bundlers that do not carry `epode_bg.wasm` along, and for
// pages that cannot serve it. It is the main entry with another source of the module: a page that imports both, or an entry
// for pages of older systems, has one module, loaded once, and from here.

// @ts-expect-error Written by scripts/build.mjs.
import base64 from "./epode_bg.base64.js";
import { mainModule } from "./index.js";
import { bytesOf } from "./inlined.js";

mainModule.findBy(() => bytesOf(base64 as string));

export * from "./index.js";
