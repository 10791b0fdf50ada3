//! XEP-0442, XEP-0313, XEP-0059: archives and listings that do not end, or do not say where they are.

use super::*;

/// A feed up to date with `a1`, which the archive calls `n0`.
fn archived() -> Play {
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(Traits {
        order: Order::Publication,
        archive: true,
    });
    play.run(
        "
        session
        S: subscribed
        S: items
        S: named n0 a1
        E: up to date, live a1
        session
        C: subscribe | archive after n0
        S: subscribed
    ",
    );
    play
}

fn letters(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).expect("small"));
    [
        letter(number / 17576),
        letter(number / 676),
        letter(number / 26),
        letter(number),
    ]
    .iter()
    .collect()
}

#[test]
fn an_archive_that_always_has_another_page_is_left_after_20000_results() {
    let mut play = archived();
    let mut pages = 0;
    while play
        .asked
        .first()
        .is_some_and(|(_, asked)| asked.starts_with("archive"))
    {
        for one in 0..100 {
            let number = pages * 100 + one + 1;
            play.hear(&format!("archived n{number} x{}1", letters(number)));
        }
        pages += 1;
        play.hear(&format!("fin n{}", pages * 100));
        play.poll();
        assert!(pages <= 201, "it goes on for ever");
    }
    assert_eq!(pages, 200);
    let told = std::mem::take(&mut play.told);
    assert_eq!(told.len(), 20_000);
    assert_eq!(told[0], format!("caught up x{}1", letters(1)));
    play.said.clear();
    // What the node holds now comes behind a gap.
    let last = letters(20_000);
    play.run(&format!(
        "
        S: items y1 z1
        E: gap x{last}..y, {}caught up y1, caught up z1, up to date
        S: event q1
        E: live q1
    ",
        // All that is remembered and not there any more.
        (0..play.gone_of(20_000))
            .map(|n| format!("gone x{}, ", letters(n + 20_001 - play.gone_of(20_000))))
            .collect::<String>()
    ));
}

impl Play {
    /// How many of so many publications a feed remembers: its limit, and a quarter more until they are moved.
    fn gone_of(&self, count: usize) -> usize {
        let mut known = 0;
        for _ in 0..=count {
            known += 1;
            if known > 1250 {
                known = 1000;
            }
        }
        known
    }
}

#[test]
fn an_archive_that_repeats_pages_is_left() {
    for script in [
        // Always the same page.
        "S: archived n1 b1\nS: fin n1\nC: archive after n1\nS: archived n1 b1\nS: fin n1",
        // In a circle.
        "S: archived n1 b1\nS: fin n1\nS: archived n2 c1\nS: fin n2\nS: archived n1 b1\nS: fin n0",
        // Empty pages that say that there is more, with and without a name.
        "S: fin\nC: newest 20",
        "S: fin n1\nS: fin n2\nS: fin n3\nS: fin n4\nS: fin n5",
        // No end is told.
        "S: reply <fin xmlns='urn:xmpp:mam:2'/>",
        "S: reply",
    ] {
        let mut play = archived();
        for line in script.lines() {
            if let Some(said) = line.strip_prefix("S: ") {
                play.hear(said);
                play.poll();
            } else {
                play.run(line);
            }
        }
        assert!(
            play.asked.iter().any(|(_, asked)| asked == "newest 20"),
            "{script}: {:?}",
            play.asked
        );
        play.hear("items a1 b1 c1 d1");
        play.poll();
        let told = std::mem::take(&mut play.told);
        assert!(told.iter().all(|told| !told.starts_with("gap")), "{told:?}");
        assert!(told.iter().any(|told| told == "caught up d1"), "{told:?}");
    }
}

#[test]
fn a_page_without_last_continues_after_its_last_result() {
    let mut play = archived();
    play.run("S: archived n1 b1");
    play.hear("reply <fin xmlns='urn:xmpp:mam:2'/>");
    play.poll();
    play.run(
        "
        C: archive after n1
        S: fin n1 complete='true'
        C: ids
        E: caught up b1, up to date
    ",
    );
}

#[test]
fn a_duplicate_or_unnamed_result_is_reported_once() {
    let mut play = archived();
    play.run(
        "
        S: archived n1 b1
        S: archived n1 b1
        S: archived n2 b2
    ",
    );
    play.hear("fin n2 complete='1'");
    play.poll();
    play.run("C: ids\nE: caught up b1, caught up b2, up to date");
}

#[test]
fn the_last_item_without_an_archive_id_is_reported_once() {
    let mut play = archived();
    play.run(
        "
        S: event b1
        S: archived n1 b1
        S: archived n2 b2
        S: fin n2 complete='true'
        C: ids
        E: caught up b1, caught up b2, up to date
    ",
    );
}

#[test]
fn endless_pages_of_items_are_left() {
    let mut play = at_c1();
    play.run("session\nS: subscribed");
    let mut number = 0;
    let mut pages = 0;
    while play
        .asked
        .first()
        .is_some_and(|(_, asked)| asked.starts_with("newest") || asked.starts_with("before"))
    {
        // One item a page, each with another name: none is the first.
        number += 1;
        pages += 1;
        play.hear(&format!(
            "items x{}1 (page p{number} 1000000 2000000)",
            letters(number)
        ));
        play.poll();
        assert!(pages <= 1_001, "it goes on for ever");
    }
    let told = std::mem::take(&mut play.told);
    assert_eq!(
        (pages, told[0].as_str()),
        (1_000, &*format!("gap c..x{}", letters(1_000)))
    );
}

#[test]
fn a_partial_list_of_ids_retracts_nothing() {
    let mut play = at_c1();
    let list = |ids: &str, set: &str| {
        let ids: String = ids
            .split_whitespace()
            .map(|id| format!("<item jid='{SERVICE}' name='{id}'/>"))
            .collect();
        format!(
            "reply <query xmlns='http://jabber.org/protocol/disco#items' node='{NODE}'>{ids}{set}</query>"
        )
    };
    let part = "<set xmlns='http://jabber.org/protocol/rsm'><first>c</first><last>c</last></set>";
    let many = "<set xmlns='http://jabber.org/protocol/rsm'><count>3</count></set>";
    let all = "<set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set>";
    for (set, gone) in [(part, ""), (many, ""), (all, "gone a, gone b, ")] {
        play.run("session\nS: subscribed\nS: error modify bad-request");
        play.said.clear();
        play.hear(&list("c", set));
        play.poll();
        play.run(&format!("C: items c\nS: items c1\nE: {gone}up to date"));
    }
}

#[test]
fn a_count_below_the_received_results_is_ignored() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: items d1 e1 (page pd 5 0)
        C: before pd
        S: items a1 b1 c1 (page pa 0 5)
        E: caught up d1, caught up e1, up to date
    ",
    );
}
