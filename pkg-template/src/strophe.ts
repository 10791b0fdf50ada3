// The entry `epode/strophe` for pages: what strophe.js exports. The module is inside, and loaded when it is first needed, in that very turn.

// @ts-expect-error Written by scripts/build.mjs.
import base64 from "./epode_stream_bg.base64.js";
import { bytesOf } from "./inlined.js";
import { streamModule } from "./stream-module.js";

streamModule.findNowBy(() => bytesOf(base64 as string));

export * from "./strophe/index.js";
