// The module of the main entry: a client.

import load, { initSync as loadNow, normalizeJid } from "./epode.js";
import { Loader } from "./loading.js";
import type { ModuleSource } from "./module.js";

/** The module. @internal */
export const mainModule: Loader = /* @__PURE__ */ new Loader({ load, loadNow, normalizeJid, file: "epode_bg.wasm", entry: "epode" });

/**
 * Loads the WebAssembly module. `connect`, `register` and `discover` call it; call it yourself to load the module earlier, or from
 * another address. All calls share one load; after a failed one the next call tries again.
 *
 * Rejects with `module-unavailable` (missing, damaged, of another version) or `module-blocked` (refused by the page's policy).
 * @param from The address of the module, its bytes, or the compiled module; default: the file beside this script.
 * @example
 * await init("/assets/epode_bg.wasm");
 */
export function init(from?: ModuleSource): Promise<void> {
  return mainModule.load(from);
}

/**
 * Loads the module at once, in a page's own thread: from its bytes, or as it was compiled. Idempotent. `init()` is better where there
 * is time: it compiles while the file arrives, and beside the page's thread.
 * @example
 * initSync(await (await fetch("/assets/epode_bg.wasm")).arrayBuffer());
 */
export function initSync(from: BufferSource | WebAssembly.Module): void {
  mainModule.loadNow(from);
}
