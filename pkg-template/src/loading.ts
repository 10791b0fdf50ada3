// Loads the module, once, from its source.

import { problem } from "./errors.js";
import { type ModuleSource, loadModule, loadModuleNow } from "./module.js";

/** Locates the module. @internal */
export type FindModule = () => ModuleSource | Promise<ModuleSource>;

let source: FindModule | undefined;
let loading: Promise<void> | undefined;
let isLoaded_ = false;

/**
 * Sets the default source of the module. The last call wins: `epode/inline` is evaluated after the main entry.
 * @internal
 */
export function defaultSource(find: FindModule): void {
  source = find;
}

let sourceNow: (() => BufferSource) | undefined;

/** Where the module comes from when it has to be there at once: entries that carry it inside. @internal */
export function defaultSourceNow(find: () => BufferSource): void {
  sourceNow = find;
}

/**
 * Loads the module at once, in a page's own thread: from its bytes, or as it was compiled. Idempotent. `init()` is better where there
 * is time: it compiles while the file arrives, and beside the page's thread.
 * @example
 * initSync(await (await fetch("/assets/epode_bg.wasm")).arrayBuffer());
 */
export function initSync(from: BufferSource | WebAssembly.Module): void {
  if (isLoaded_) return;
  loadModuleNow(() => from);
  isLoaded_ = true;
}

/** Throws where the module is not there and cannot be had at once. @internal */
export function mustBeLoaded(): void {
  if (isLoaded_) return;
  const find = sourceNow;
  if (!find) throw problem("not-loaded");
  loadModuleNow(find);
  isLoaded_ = true;
}

/** Whether the module is there. @internal */
export const isLoaded = (): boolean => isLoaded_;

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
  loading ??= start(from).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(from: ModuleSource | undefined): Promise<void> {
  if (isLoaded_) return;
  await loadModule(() => from ?? (source as FindModule)());
  isLoaded_ = true;
}
