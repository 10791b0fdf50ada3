//! The bytes of a WebSocket frame: in place of the server's `<open/>`, of its features, to a session with stream management
//! while something is on its way, in place of `<resumed/>`, and after our `<close/>`.

use crate::support::shell::{SESSIONS, Shell, Step, WAYS};
use epode_proto::io::NetworkFailure;

/// Over WebSocket, made again when it broke, with XEP-0198.
const WAY: usize = 3;

/// The target.
pub fn frame(data: &[u8]) {
    let frame = || Step::Frame(Some(data.to_vec()));

    // The first frame of all, and the one after an honest `<open/>`, and so on up to the binding.
    for serves in 1..=5 {
        let mut negotiating = connecting();
        negotiating.step(Step::Credentials(2));
        serve(&mut negotiating, serves);
        negotiating.step(frame());
        negotiating.step(frame());
        negotiating.end();
    }

    let mut online = connecting();
    online.log_in();
    online.step(Step::Tap(true));
    serve(&mut online, 1);
    online.step(Step::Send);
    online.step(Step::Request(Some(5_000)));
    online.step(frame());
    online.step(Step::Send);
    online.step(frame());
    online.step(Step::Disconnect);
    online.step(frame());
    online.end();

    let mut resuming = connecting();
    resuming.log_in();
    serve(&mut resuming, 1);
    resuming.step(Step::Send);
    resuming.step(Step::Send);
    resuming.step(Step::Lose(1, NetworkFailure::Unreachable));
    resuming.step(Step::Send);
    resuming.step(Step::Wake);
    // Up to the `<resume/>`, which is on its way.
    serve(&mut resuming, 4);
    resuming.step(frame());
    serve(&mut resuming, 2);
    resuming.end();
}

fn connecting() -> Shell {
    let mut shell = Shell::new(SESSIONS[0], WAYS[WAY], 1);
    shell.step(Step::Connect);
    shell
}

fn serve(shell: &mut Shell, times: usize) {
    for _ in 0..times {
        shell.step(Step::Serve(0, Vec::new()));
    }
}
