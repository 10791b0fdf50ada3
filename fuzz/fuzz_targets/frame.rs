#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| epode_fuzz::targets::frame(data));
