// The entry `epode/stream/inline`: that of `epode/stream` with the WebAssembly module inside the script, as inline.ts is that of `epode`.

// @ts-expect-error Written by scripts/build.mjs.
import base64 from "./epode_stream_bg.base64.js";
import { bytesOf } from "./inlined.js";
import { streamModule } from "./stream.js";

streamModule.findBy(() => bytesOf(base64 as string));

export * from "./stream.js";
