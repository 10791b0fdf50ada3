//! XEP-0115: our capabilities, and what those get who ask about them.

use epode_proto::ns;
use epode_proto::xep::caps;
use epode_proto::xep::disco::{Identity, Info};

use super::{example, rebuilt, xml};

fn exodus() -> Info {
    let identity = |kind: &str, name: &str| Identity {
        category: "client".into(),
        kind: kind.into(),
        name: Some(name.into()),
    };
    Info {
        identities: vec![identity("pc", "Exodus 0.9.1")],
        // In no order.
        features: [
            "http://jabber.org/protocol/muc",
            ns::DISCO_INFO,
            ns::CAPS,
            ns::DISCO_ITEMS,
        ]
        .map(String::from)
        .to_vec(),
        ..Info::default()
    }
}

#[test]
fn the_hash_is_that_of_the_specification() {
    // §5.2.
    assert_eq!(
        caps::verification(&exodus()),
        "QgayPKawpkPSDYmwT/WM94uAlu0="
    );
}

#[test]
fn the_hash_covers_exactly_the_disco_info() {
    let told = |change: &dyn Fn(&mut Info)| {
        let mut info = exodus();
        change(&mut info);
        caps::verification(&info)
    };
    let known = told(&|_| {});
    assert_eq!(told(&|info| info.node = Some("n".into())), known);
    assert_eq!(told(&|info| info.features.reverse()), known);
    assert_ne!(told(&|info| info.features.push("n+notify".into())), known);
    assert_ne!(told(&|info| info.identities[0].name = None), known);
    let second = |info: &mut Info| {
        let mut other = info.identities[0].clone();
        other.category = "automation".into();
        info.identities.push(other);
    };
    assert_eq!(
        told(&second),
        told(&|info| {
            second(info);
            info.identities.reverse();
        })
    );
}

#[test]
fn presence_carries_the_hash_as_in_the_example() {
    let c = example("0115", 1).child("c", ns::CAPS).expect("caps");
    let ours = caps::to_element("QgayPKawpkPSDYmwT/WM94uAlu0=");
    assert_eq!(
        rebuilt(&c, &["node"]).with_attr("node", caps::NODE),
        ours,
        "apart from whose it is"
    );
    assert!(!caps::NODE.contains('#'));
    let asked = example("0115", 3);
    let node = asked.child("query", ns::DISCO_INFO).expect("a query");
    let (_, hash) = node
        .attr("node")
        .and_then(|node| node.split_once('#'))
        .expect("a hash");
    let mut expected = String::from(caps::NODE);
    expected.push('#');
    expected.push_str(hash);
    assert_eq!(caps::node(hash), expected);
    assert_eq!(
        xml("<presence/>").child("c", ns::CAPS),
        None,
        "nothing is made of nothing"
    );
}
