// The entry with the WebAssembly module inside the script, for bundlers that do not copy `epode_bg.wasm`, and for pages
// that cannot serve it. It is the main entry with another source of the module: a page that imports both, or an entry
// for older systems, loads one module, once, from here. Base64 makes the download a third larger.

import { _defaultSource } from "./index.js";
// @ts-expect-error Written by scripts/build.mjs.
import base64 from "./epode_bg.base64.js";

_defaultSource(() => {
  const binary = atob(base64 as string);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
});

export * from "./index.js";
