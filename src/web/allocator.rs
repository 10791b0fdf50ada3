//! The allocator: talc, which is 2.7 KB gzip smaller than Rust's default, and no slower.

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
