// When the module is loaded, and from where.

import { type ModuleSource, loadModule } from "./module.js";

/** Finds the module. @internal */
export type FindModule = () => ModuleSource | Promise<ModuleSource>;

let source: FindModule | undefined;
let loading: Promise<void> | undefined;
let isLoaded_ = false;

/** Where the module comes from when the page does not say. The last call counts: `epode/inline` comes after the main entry. @internal */
export function defaultSource(find: FindModule): void {
  source = find;
}

/** Whether the module is there. @internal */
export const isLoaded = (): boolean => isLoaded_;

/**
 * Loads the module. Optional (`connect` and `register` do it) and idempotent: one loading for all who ask. One that failed is
 * forgotten, so that the next call tries again.
 * @param from Where the module is, or the module itself; default: beside this file.
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
