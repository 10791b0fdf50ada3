// Loads the module, once, from its source.

import { type ModuleSource, loadModule } from "./module.js";

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

/** Whether the module is loaded. @internal */
export const isLoaded = (): boolean => isLoaded_;

/**
 * Loads the module. Optional (`connect` and `register` call it) and idempotent: all callers share one loading. A failed
 * loading is forgotten, so that the next call tries again.
 * @param from The location of the module, or the module itself; default: the directory of this file.
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
  await loadModule(() => from ?? (source as FindModule)());
  isLoaded_ = true;
}
