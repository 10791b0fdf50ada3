// Loads a module of the package, once, from its source.

import { problem } from "./errors.js";
import { normalizeBy } from "./jid.js";
import { type ModuleSource, type WasmModule, loadModule, loadModuleNow } from "./module.js";

/** Locates a module. */
type FindModule = () => ModuleSource | Promise<ModuleSource>;

/** Loads one of the package's modules. @internal */
export class Loader {
  readonly #module: WasmModule;
  #source: FindModule | undefined;
  #sourceNow: (() => BufferSource) | undefined;
  #loading: Promise<void> | undefined;
  #isLoaded = false;

  constructor(module: WasmModule) {
    this.#module = module;
  }

  /** Sets the default source. The last call wins: an entry with the module inside is evaluated after the one that it imports. */
  findBy(find: FindModule): void {
    this.#source = find;
  }

  /** Where the module comes from when it has to be there at once: entries that carry it inside. */
  findNowBy(find: () => BufferSource): void {
    this.#sourceNow = find;
  }

  /** Whether the module is there. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Loads the module at once: from its bytes, or as it was compiled. */
  loadNow(from: BufferSource | WebAssembly.Module): void {
    if (!this.#isLoaded) this.#startNow(() => from);
  }

  /** Throws where the module is not there and cannot be had at once. */
  mustBeLoaded(): void {
    if (this.#isLoaded) return;
    if (!this.#sourceNow) throw problem("not-loaded");
    this.#startNow(this.#sourceNow);
  }

  /** Loads the module. All calls share one load; after a failed one the next call tries again. */
  load(from?: ModuleSource): Promise<void> {
    this.#loading ??= this.#start(from).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  #startNow(find: () => BufferSource | WebAssembly.Module): void {
    loadModuleNow(this.#module, find);
    this.#becomeLoaded();
  }

  async #start(from: ModuleSource | undefined): Promise<void> {
    if (this.#isLoaded) return;
    await loadModule(this.#module, () => from ?? (this.#source as FindModule)());
    this.#becomeLoaded();
  }

  #becomeLoaded(): void {
    this.#isLoaded = true;
    normalizeBy(this.#module.normalizeJid);
  }
}
