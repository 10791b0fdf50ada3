// The entry with the WebAssembly module inside the script, for bundlers that do not carry `epode_bg.wasm` along, and for
// pages that cannot serve it. It is the main entry with another source of the module: a page that imports both, or an entry
// for pages of older systems, has one module, loaded once, and from here.

import { _defaultSource } from "./index.js";
import { inlinedModule } from "./inlined.js";

_defaultSource(inlinedModule);

export * from "./index.js";
