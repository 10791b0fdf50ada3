// The methods of the module of a stream by hand, which wasm-bindgen declares (src/js/stream.rs, src/js/sasl.rs, src/js/retry.rs).

export { RetryCore, SaslCore, StreamCore } from "./epode_stream.js";
