//! The fuzz targets of the native tests, for cargo-fuzz. CONTRIBUTING tells how to run them.

// What of the tests' support no target needs.
#![allow(dead_code)]

#[path = "../../proto/tests/support/mod.rs"]
mod support;
#[path = "../../proto/tests/fuzz/targets/mod.rs"]
pub mod targets;
