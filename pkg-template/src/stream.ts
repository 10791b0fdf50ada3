// The entry `epode/stream` for pages and workers: fetches its module from the directory of this file.

import { streamModule } from "./stream-module.js";

streamModule.findBy(() => new URL("./epode_stream_bg.wasm", import.meta.url));

/** For the entries with the module inside. @internal */
export { streamModule } from "./stream-module.js";
export * from "./public-stream.js";
