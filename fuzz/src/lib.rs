//! The fuzz targets of the native tests, for cargo-fuzz. CONTRIBUTING tells how to run them.

// What of the tests' support no target needs.
#![allow(dead_code)]

#[path = "../../tests/proto/support/mod.rs"]
mod support;
#[path = "../../tests/proto/fuzz/targets/mod.rs"]
pub mod targets;
