//! The fuzz targets over the inputs that are kept in `fuzz/corpus`: by hand, from the specifications' examples, and what
//! fuzzing found. CONTRIBUTING tells how to look for more.

mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// Runs a target over its inputs.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(name);
    let mut count = 0;
    let mut failed = Vec::new();
    for entry in fs::read_dir(&folder).expect("a corpus") {
        let path = entry.expect("a file").path();
        let data = fs::read(&path).expect("a file");
        if catch_unwind(|| target(&data)).is_err() {
            failed.push(path);
        }
        count += 1;
    }
    assert!(count >= 10, "no corpus worth the name in {folder:?}");
    assert!(failed.is_empty(), "{name} fails with {failed:#?}");
}

#[test]
fn the_xml_reader() {
    replay("xml", targets::xml);
}

#[test]
fn an_address() {
    replay("jid", targets::jid);
}

#[test]
fn a_bosh_answer() {
    replay("bosh", targets::bosh);
}

#[test]
fn a_frame() {
    replay("frame", targets::frame);
}

#[test]
fn a_connection() {
    replay("connection", targets::connection);
}
