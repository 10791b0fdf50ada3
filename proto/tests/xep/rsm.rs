//! XEP-0059: which part is wanted, which part came.

use epode_proto::ns;
use epode_proto::xep::pubsub::request;
use epode_proto::xep::rsm::{Page, Range};
use epode_proto::xml::Element;

use super::{asked, example, xml};

fn query(number: u64) -> Element {
    asked("0059", number)
        .children()
        .next()
        .expect("a query")
        .child("set", ns::RSM)
        .expect("a set")
}

fn page(number: u64) -> Option<Page> {
    let reply = example("0059", number);
    Page::child_of(&reply.children().next().expect("a query"))
}

#[test]
fn ranges_are_as_in_the_examples() {
    let range = Range {
        max: Some(10),
        ..Range::default()
    };
    assert_eq!(range.to_element(), query(3));
    assert!(!range.has_place());
    let after = Range {
        after: Some("peterpan@neverland.lit".into()),
        ..range.clone()
    };
    assert_eq!(after.to_element(), query(5));
    let before = Range {
        before: Some("peter@pixyland.org".into()),
        ..range.clone()
    };
    assert_eq!(before.to_element(), query(8));
    let last = Range {
        before: Some(String::new()),
        ..range.clone()
    };
    assert_eq!(last.to_element(), query(11));
    let index = Range {
        max: Some(10),
        index: Some(371),
        ..Range::default()
    };
    assert_eq!(
        index.to_element(),
        xml("<set xmlns='http://jabber.org/protocol/rsm'><max>10</max><index>371</index></set>")
    );
    for place in [after, before, last, index] {
        assert!(place.has_place(), "{place:?}");
    }
    let count = Range {
        max: Some(0),
        ..Range::default()
    };
    assert_eq!(count.to_element(), query(15));
}

#[test]
fn pages_are_read() {
    let whole = |first: &str, last: &str, index, count| {
        Some(Page {
            first: Some(first.into()),
            last: Some(last.into()),
            index: Some(index),
            count: Some(count),
        })
    };
    assert_eq!(
        page(4),
        whole("stpeter@jabber.org", "peterpan@neverland.lit", 0, 800)
    );
    assert_eq!(
        page(13),
        whole("peter@pixyland.org", "peter@rabbit.lit", 371, 800)
    );
    let empty = |count| {
        Some(Page {
            count: Some(count),
            ..Page::default()
        })
    };
    assert_eq!(page(7), empty(790));
    assert_eq!(page(16), empty(800));
    // A request is no page, and what is not a number is not told.
    assert_eq!(
        Page::child_of(&xml(
            "<query><set xmlns='http://jabber.org/protocol/rsm'><first index='-1'>a</first><last> b </last>
             <count>many</count></set></query>"
        )),
        Some(Page {
            first: Some("a".into()),
            last: Some(" b ".into()),
            index: None,
            count: None,
        })
    );
    assert_eq!(Page::child_of(&xml("<query><set/></query>")), None);
}

#[test]
fn a_part_of_a_node_is_requested_beside_the_items() {
    let range = Range {
        max: Some(2),
        after: Some("1".into()),
        ..Range::default()
    };
    assert_eq!(
        request::page(Some("pubsub.shakespeare.lit"), "n", &range, None),
        xml("<iq type='get' to='pubsub.shakespeare.lit'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/>
            <set xmlns='http://jabber.org/protocol/rsm'><max>2</max><after>1</after></set></pubsub></iq>")
    );
    let reply = xml(
        "<iq type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'><item id='2'/></items>
         <set xmlns='http://jabber.org/protocol/rsm'><first index='1'>2</first><last>2</last><count>2</count></set></pubsub></iq>",
    );
    assert_eq!(request::parse_items(&reply).len(), 1);
    assert_eq!(request::parse_page(&reply).expect("a page").index, Some(1));
    // Without one, all is there.
    assert_eq!(request::parse_page(&example("0060", 81)), None);
}
