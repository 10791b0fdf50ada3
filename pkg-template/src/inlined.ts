// The WebAssembly module inside the script, as bytes. Base64 makes the download a third larger.

// @ts-expect-error Written by scripts/build.mjs.
import base64 from "./epode_bg.base64.js";

/** The module's bytes. @internal */
export function inlinedModule(): Uint8Array<ArrayBuffer> {
  const binary = atob(base64 as string);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
