//! The bytes of a BOSH answer: as the answer to the session request, during the login, to a request that is held and to one that
//! carries a stanza, with and without a status that says all is well.

use crate::support::shell::{SESSIONS, Shell, Step, WAYS};

/// The target.
pub fn bosh(data: &[u8]) {
    let answer =
        |which: usize, status: u16| Step::Answer(which, status, Some("text/xml"), data.into());

    let mut opening = connecting();
    opening.step(answer(0, 200));
    opening.step(Step::Credentials(1));
    opening.step(answer(0, 200));
    opening.end();

    let mut negotiating = connecting();
    negotiating.step(Step::Tap(true));
    negotiating.step(Step::Credentials(2));
    negotiating.step(Step::Serve(0, Vec::new()));
    for _ in 0..3 {
        negotiating.step(answer(usize::MAX, 200));
    }
    negotiating.end();

    for status in [200, 404] {
        let mut online = connecting();
        online.log_in();
        online.step(Step::Request(Some(5_000)));
        online.step(Step::Pass(100, false));
        // The older request, that is held, then the one that asks.
        for _ in 0..2 {
            online.step(Step::Send);
            online.step(answer(0, status));
            online.step(Step::Pass(1_000, false));
        }
        online.step(Step::Disconnect);
        online.step(answer(usize::MAX, status));
        online.end();
    }
}

fn connecting() -> Shell {
    let mut shell = Shell::new(SESSIONS[0], WAYS[0], 1);
    shell.step(Step::Connect);
    shell
}
