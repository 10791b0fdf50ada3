//! XEP-0203 and XEP-0082.

use epode_proto::xep::delay::{Delay, parse_date_time, write_date_time};
use proptest::prelude::*;

use super::xml;

#[test]
fn dates_are_milliseconds_since_1970() {
    // The first two are XEP-0082's own, the others were computed by `date -u +%s`.
    for (text, ms) in [
        ("1969-07-21T02:56:15Z", -14_159_025_000),
        ("1969-07-20T21:56:15-05:00", -14_159_025_000),
        ("1970-01-01T00:00:00Z", 0),
        ("2002-09-10T23:08:25Z", 1_031_699_305_000),
        ("2000-02-29T12:00:00Z", 951_825_600_000),
        ("2024-12-31T23:59:60Z", 1_735_689_600_000),
        ("2002-09-10T23:08:25.5Z", 1_031_699_305_500),
        ("2002-09-10T23:08:25.1239999Z", 1_031_699_305_123),
        ("2002-09-11T04:38:25+05:30", 1_031_699_305_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ] {
        assert_eq!(parse_date_time(text), Some(ms), "{text}");
    }
}

#[test]
fn invalid_dates_are_refused() {
    for text in [
        "",
        "2002-09-10",
        "20020910T23:08:25",
        "2002-09-10T23:08:25",
        "2002-09-10T23:08Z",
        "2002-13-10T23:08:25Z",
        "2002-00-10T23:08:25Z",
        "2001-02-29T23:08:25Z",
        "1900-02-29T23:08:25Z",
        "2002-09-31T23:08:25Z",
        "2002-09-00T23:08:25Z",
        "2002-09-10T24:08:25Z",
        "2002-09-10T23:60:25Z",
        "2002-09-10T23:08:61Z",
        "2002-09-10T23:08:25.Z",
        "2002-09-10T23:08:25+0530",
        "2002-09-10T23:08:25+05",
        "2002-09-10T23:08:25ZZ",
        "2002-09-10T23:08:25+24:00",
        "-2002-09-10T23:08:25Z",
        "+002-09-10T23:08:25Z",
        "２002-09-10T23:08:25Z",
    ] {
        assert_eq!(parse_date_time(text), None, "{text}");
    }
}

#[test]
fn dates_are_written_in_utc_with_a_fraction_only_where_there_is_one() {
    assert_eq!(write_date_time(0), "1970-01-01T00:00:00Z");
    assert_eq!(write_date_time(-1), "1969-12-31T23:59:59.999Z");
    assert_eq!(
        write_date_time(1_031_699_305_050),
        "2002-09-10T23:08:25.050Z"
    );
    assert_eq!(write_date_time(i64::MAX), "9999-12-31T23:59:59.999Z");
    assert_eq!(write_date_time(i64::MIN), "0000-01-01T00:00:00Z");
}

proptest! {
    #[test]
    fn every_time_comes_back(ms in -62_167_219_200_000_i64..=253_402_300_799_999) {
        prop_assert_eq!(parse_date_time(&write_date_time(ms)), Some(ms));
    }

    #[test]
    fn no_text_is_too_odd(text in ".{0,40}") {
        let _ = parse_date_time(&text);
    }
}

#[test]
fn a_delay_is_written_and_read() {
    let element = xml(
        "<delay xmlns='urn:xmpp:delay' from='capulet.com' stamp='2002-09-10T23:08:25Z'>Offline Storage</delay>",
    );
    let delay = Delay::parse(&element).expect("a delay");
    assert_eq!(delay.stamp, 1_031_699_305_000);
    assert_eq!(delay.from.as_deref(), Some("capulet.com"));
    assert_eq!(delay.reason.as_deref(), Some("Offline Storage"));
    assert_eq!(delay.to_element(), element);
}

#[test]
fn the_delay_of_the_requested_sender_is_used() {
    let message = xml("<message>
        <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='1999-01-01T00:00:00Z' from='room@rooms'/></forwarded>
        <delay xmlns='urn:xmpp:delay' stamp='nonsense'/>
        <delay xmlns='urn:xmpp:delay' from='liar@example.org' stamp='2001-01-01T00:00:00Z'/>
        <delay xmlns='urn:xmpp:delay' from='room@rooms' stamp='2002-01-01T00:00:00Z'/></message>");
    let by = |by| Delay::of(&message, by).map(|delay| write_date_time(delay.stamp));
    assert_eq!(by("room@rooms").as_deref(), Some("2002-01-01T00:00:00Z"));
    assert_eq!(by("other").as_deref(), Some("2001-01-01T00:00:00Z"));
    assert_eq!(Delay::of(&xml("<message/>"), "x"), None);
}
