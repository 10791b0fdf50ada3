//! XEP-0203: Delayed Delivery 2.0, XEP-0091: Legacy Delayed Delivery 1.4, and the date-time profile of XEP-0082 1.1,
//! which these and other extensions use.
//!
//! Specification: XEP-0203 2.0, XEP-0091 1.4, XEP-0082 1.1.
//!
//! Times are milliseconds since 1970 UTC. Left out: separate dates and times, and years beyond 0000–9999.
//!
//! A stamp claims which entity delayed the stanza, and any sender can add one. [`Delay::of`] prefers the stamp of the
//! given entity; use `stamps` where other stamps must not be trusted.

use crate::ns;
use crate::xml::Element;

const DAY: i64 = 86_400_000;

/// When a stanza was originally sent, according to the entity that delayed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Milliseconds since 1970 UTC.
    pub stamp: i64,
    /// The entity that delayed the stanza, as the stamp claims.
    pub from: Option<String>,
    /// The reason.
    pub reason: Option<String>,
}

impl Delay {
    /// Parses `<delay/>` or XEP-0091's `<x/>`; `None` for any other element, or if the stamp is not a date.
    pub fn parse(element: &Element) -> Option<Self> {
        let stamp = DelayStamp::read(element)?;
        let reason = element.text();
        Some(Self {
            stamp: stamp.time?,
            from: stamp.from,
            reason: (!reason.is_empty()).then(|| reason.into_owned()),
        })
    }

    /// The `<delay/>` child of a stanza.
    pub fn to_element(&self) -> Element {
        Element::builder("delay", ns::DELAY)
            .attr_opt("from", self.from.as_deref())
            .attr("stamp", &write_date_time(self.stamp))
            .text(self.reason.as_deref().unwrap_or_default())
            .build()
    }

    /// The delay of a stanza: the one stamped by `by` (a bare JID) if there are several, since each delaying entity and
    /// the sender may add one; otherwise the first.
    pub fn of(stanza: &Element, by: &str) -> Option<Self> {
        let mut first = None;
        for namespace in [ns::DELAY, ns::LEGACY_DELAY] {
            for child in stanza.children() {
                if child.ns() != namespace {
                    continue;
                }
                let Some(delay) = Self::parse(&child) else {
                    continue;
                };
                if delay.from.as_deref() == Some(by) {
                    return Some(delay);
                }
                if first.is_none() {
                    first = Some(delay);
                }
            }
        }
        first
    }
}

/// One stamp of a stanza, valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DelayStamp {
    /// The entity that delayed the stanza, as the stamp claims.
    pub(crate) from: Option<String>,
    /// Milliseconds since 1970 UTC; `None` if the date is absent or not valid.
    pub(crate) time: Option<i64>,
}

impl DelayStamp {
    fn read(element: &Element) -> Option<Self> {
        if !element.is("delay", ns::DELAY) && !element.is("x", ns::LEGACY_DELAY) {
            return None;
        }
        Some(Self {
            from: element.attr("from").map(Into::into),
            time: element.attr("stamp").and_then(parse_stamp),
        })
    }
}

/// The stamps of a stanza, those of XEP-0203 before those of XEP-0091, which are less exact.
pub(crate) fn stamps(stanza: &Element) -> Vec<DelayStamp> {
    let mut stamps = Vec::new();
    for namespace in [ns::DELAY, ns::LEGACY_DELAY] {
        for child in stanza.children() {
            if child.ns() == namespace
                && let Some(stamp) = DelayStamp::read(&child)
            {
                stamps.push(stamp);
            }
        }
    }
    stamps
}

/// Parses a stamp: the format of [`parse_date_time`], and the deviations of services. The zone may be absent (UTC), the
/// date may lack hyphens (XEP-0091 §4), `T` and `Z` may be lower case, the offset may lack the colon or the minutes.
pub fn parse_stamp(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let (date, time) = text.split_once(['T', ' '])?;
    // The zone starts after hh:mm:ss, which contains no sign.
    let at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(at);
    let mut full = match (date.len(), date.get(..4), date.get(4..6), date.get(6..)) {
        (8, Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => date.to_owned(),
    };
    full.push('T');
    full.push_str(clock);
    match (zone.len(), zone.get(..3), zone.get(3..)) {
        (0, ..) => full.push('Z'),
        (3, ..) => {
            full.push_str(zone);
            full.push_str(":00");
        }
        (5, Some(hours), Some(minutes)) => {
            full.push_str(hours);
            full.push(':');
            full.push_str(minutes);
        }
        _ => full.push_str(zone),
    }
    parse_date_time(&full)
}

/// Parses `CCYY-MM-DDThh:mm:ss[.sss](Z|±hh:mm)` (XEP-0082 §3.2) as milliseconds since 1970 UTC. Finer fractions are
/// truncated.
pub fn parse_date_time(text: &str) -> Option<i64> {
    let mut scan = Scan(text.trim().as_bytes());
    let year = scan.number(4)?;
    scan.byte(b'-')?;
    let month = scan.number(2)?;
    scan.byte(b'-')?;
    let day = scan.number(2)?;
    scan.byte(b'T')?;
    let hour = scan.number(2)?;
    scan.byte(b':')?;
    let minute = scan.number(2)?;
    scan.byte(b':')?;
    let second = scan.number(2)?;
    // 60 is a leap second, which this time scale does not distinguish from the second after it.
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let fraction = match scan.byte(b'.') {
        Some(()) => scan.fraction()?,
        None => 0,
    };
    let offset = scan.offset()?;
    if !scan.0.is_empty() {
        return None;
    }
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    Some(days_from_1970(year, month, day) * DAY + seconds * 1000 + fraction)
}

/// Writes milliseconds since 1970 as UTC, with a fraction only if it is not zero. Values beyond the years 0000–9999 are
/// clamped.
pub fn write_date_time(unix_ms: i64) -> String {
    let unix_ms = unix_ms.clamp(-62_167_219_200_000, 253_402_300_799_999);
    let (year, month, day) = date(unix_ms.div_euclid(DAY));
    let mut rest = unix_ms.rem_euclid(DAY);
    let ms = rest % 1000;
    rest /= 1000;
    let mut out = String::with_capacity(24);
    push_digits(&mut out, year, 4);
    out.push('-');
    push_digits(&mut out, month, 2);
    out.push('-');
    push_digits(&mut out, day, 2);
    out.push('T');
    push_digits(&mut out, rest / 3600, 2);
    out.push(':');
    push_digits(&mut out, rest / 60 % 60, 2);
    out.push(':');
    push_digits(&mut out, rest % 60, 2);
    if ms != 0 {
        out.push('.');
        push_digits(&mut out, ms, 3);
    }
    out.push('Z');
    out
}

/// Writes minutes east of UTC as `Z` or `±hh:mm` (XEP-0082 §3.2, `TZD`).
pub(crate) fn write_offset(minutes: i64) -> String {
    let mut out = String::with_capacity(6);
    if minutes == 0 {
        out.push('Z');
        return out;
    }
    out.push(if minutes < 0 { '-' } else { '+' });
    let minutes = minutes.abs();
    push_digits(&mut out, minutes / 60, 2);
    out.push(':');
    push_digits(&mut out, minutes % 60, 2);
    out
}

/// Parses `Z` or `±hh:mm` as minutes east of UTC.
pub(crate) fn parse_offset(text: &str) -> Option<i64> {
    let mut scan = Scan(text.trim().as_bytes());
    let offset = scan.offset()?;
    scan.0.is_empty().then_some(offset)
}

/// The remaining input.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    /// Consumes exactly this byte.
    fn byte(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        (first == byte).then(|| self.0 = rest)
    }

    fn digit(&mut self) -> Option<i64> {
        let (&first, rest) = self.0.split_first()?;
        first.is_ascii_digit().then(|| {
            self.0 = rest;
            i64::from(first - b'0')
        })
    }

    /// Parses exactly this number of digits.
    fn number(&mut self, digits: u32) -> Option<i64> {
        let mut value = 0;
        for _ in 0..digits {
            value = value * 10 + self.digit()?;
        }
        Some(value)
    }

    /// Parses one or more digits after the point, as milliseconds.
    fn fraction(&mut self) -> Option<i64> {
        let mut value = self.digit()? * 100;
        let mut weight = 10;
        while let Some(digit) = self.digit() {
            value += digit * weight;
            weight /= 10;
        }
        Some(value)
    }

    /// Parses the mandatory offset from UTC, in minutes.
    fn offset(&mut self) -> Option<i64> {
        if self.byte(b'Z').is_some() {
            return Some(0);
        }
        let sign = if self.byte(b'+').is_some() {
            1
        } else {
            self.byte(b'-')?;
            -1
        };
        let hours = self.number(2)?;
        self.byte(b':')?;
        let minutes = self.number(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }
}

fn push_digits(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = (value / 10_i64.pow(place)).rem_euclid(10) as u8;
        out.push((b'0' + digit) as char);
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar. The year starts in March, so that the leap day comes last.
fn days_from_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    let days_before_month = (153 * month + 2) / 5;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + days_before_month + day - 1 - 719_468
}

/// The inverse: year, month and day of a number of days from 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    // A first estimate that is never late and at most a few years early.
    let longest_or_shortest = if days < 0 { 365 } else { 366 };
    let mut year = 1969 + days.div_euclid(longest_or_shortest);
    while days_from_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut day = days - days_from_1970(year, 1, 1);
    let mut month = 1;
    while day >= days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
    }
    (year, month, day + 1)
}
