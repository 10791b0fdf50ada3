//! When a stream by hand is opened again: pauses, signs of a working network, ends that are final.

use crate::support::random::Seeded;
use epode_proto::reconnect::Reconnect;
use epode_proto::retry_schedule::{Ending, RetrySchedule};
use epode_proto::time::{Instant, Millis};

const LOST: Ending<'static> = Ending::Lost("");

/// A schedule whose caller has been online for a minute and loses the stream at the returned time.
fn lost(seed: u64) -> (RetrySchedule, Instant) {
    let mut schedule = RetrySchedule::new(Reconnect::default(), Box::new(Seeded(seed)));
    schedule.note_online(Instant(0));
    assert_eq!(schedule.poll_timeout(), None, "online, nothing is due");
    let now = Instant(60_000);
    assert!(schedule.note_ended(now, LOST).is_some());
    (schedule, now)
}

/// Lets the pause pass: an attempt begins.
fn attempt(schedule: &mut RetrySchedule) -> Instant {
    let due = schedule.poll_timeout().expect("an attempt is due");
    assert!(schedule.handle_timeout(due));
    due
}

#[test]
fn pauses_grow_with_the_outage_to_the_limit() {
    let mut all = Vec::new();
    for seed in 0..200 {
        let (mut schedule, began) = lost(seed);
        let mut last = Instant(0);
        for _ in 0..40 {
            let now = attempt(&mut schedule);
            let pause = schedule.note_ended(now, LOST).expect("another attempt");
            let outage = now - began;
            let most = outage.0.clamp(1_000, 30_000);
            assert!(pause.0 <= most, "{} after {}", pause.0, outage.0);
            all.push(pause.0);
            last = now;
        }
        assert!((last - began).0 > 60_000, "40 attempts within a minute");
    }
    assert!(all.iter().any(|pause| *pause > 25_000), "pauses stay short");
    all.sort_unstable();
    all.dedup();
    assert!(all.len() > 5_000, "pauses are not random");
}

#[test]
fn the_callers_pauses_are_kept_to() {
    let pauses = Reconnect {
        least: Millis(200),
        most: Millis(400),
    };
    let mut schedule = RetrySchedule::new(pauses, Box::new(Seeded(1)));
    schedule.note_online(Instant(0));
    assert!(schedule.note_ended(Instant(1), LOST) <= Some(Millis(200)));
    for _ in 0..50 {
        let now = attempt(&mut schedule);
        assert!(schedule.note_ended(now, LOST) <= Some(Millis(400)));
    }
}

#[test]
fn a_sign_of_the_network_makes_the_attempt_due_and_the_pauses_short() {
    let (mut schedule, _) = lost(1);
    let mut now = Instant(0);
    for _ in 0..40 {
        now = attempt(&mut schedule);
        schedule.note_ended(now, LOST);
    }
    let now = now + Millis(1);
    schedule.wake(now);
    assert_eq!(schedule.poll_timeout(), Some(now));
    assert_eq!(attempt(&mut schedule), now);
    let pause = schedule.note_ended(now, LOST).expect("another attempt");
    assert!(
        pause <= Millis::seconds(1),
        "{pause:?} right after the sign"
    );
}

#[test]
fn an_attempt_from_before_the_sign_is_replaced_and_a_fresh_one_is_not() {
    let (mut schedule, _) = lost(1);
    let begun = attempt(&mut schedule);
    schedule.wake(begun + Millis(100));
    assert!(schedule.poll_timeout() > Some(begun + Millis::seconds(2)));
    schedule.wake(begun + Millis(300));
    assert_eq!(schedule.poll_timeout(), Some(begun + Millis::seconds(1)));
    let second = attempt(&mut schedule);
    // The second replacement waits twice as long.
    schedule.wake(second + Millis(1_500));
    assert_eq!(schedule.poll_timeout(), Some(second + Millis::seconds(2)));
    schedule.note_online(second + Millis(1_600));
    assert_eq!(
        schedule.poll_timeout(),
        None,
        "the replaced attempt succeeded"
    );
}

#[test]
fn an_attempt_that_hangs_is_followed_by_another_one() {
    let (mut schedule, _) = lost(3);
    let begun = attempt(&mut schedule);
    let late = schedule.poll_timeout().expect("a deadline");
    assert_eq!(late, begun + Millis::seconds(30));
    assert!(!schedule.handle_timeout(late), "first the pause");
    let due = schedule.poll_timeout().expect("another attempt");
    assert!(due <= late + Millis::seconds(30));
    // Its end, told late, is not counted twice.
    assert_eq!(schedule.note_ended(late, LOST), Some(due - late));
    assert!(schedule.handle_timeout(due));
}

#[test]
fn ends_that_another_attempt_cannot_change_are_final() {
    for ending in [
        Ending::Lost("conflict"),
        Ending::Lost("host-unknown"),
        Ending::Lost("improper-addressing"),
        Ending::Refused("not-authorized"),
        Ending::Refused("account-disabled"),
        Ending::Refused("conflict"),
        Ending::Refused(""),
    ] {
        let (mut schedule, _) = lost(1);
        let now = attempt(&mut schedule);
        assert_eq!(schedule.note_ended(now, ending), None, "{ending:?}");
        assert!(schedule.is_idle());
        schedule.wake(now);
        assert_eq!(schedule.poll_timeout(), None);
        assert_eq!(schedule.note_ended(now, LOST), None, "it stays idle");
    }
    for ending in [
        Ending::Lost("system-shutdown"),
        Ending::Lost("item-not-found"),
        Ending::Refused("temporary-auth-failure"),
        Ending::Refused("resource-constraint"),
    ] {
        let (mut schedule, _) = lost(1);
        let now = attempt(&mut schedule);
        assert!(schedule.note_ended(now, ending).is_some(), "{ending:?}");
    }
}

#[test]
fn nothing_is_due_before_the_first_login_or_after_stop() {
    let mut schedule = RetrySchedule::new(Reconnect::default(), Box::new(Seeded(1)));
    assert_eq!(schedule.note_ended(Instant(1), LOST), None);
    assert_eq!(schedule.poll_timeout(), None);
    let (mut schedule, now) = lost(1);
    schedule.stop();
    schedule.wake(now);
    assert_eq!(schedule.poll_timeout(), None);
    assert!(!schedule.handle_timeout(now + Millis::seconds(60)));
}
