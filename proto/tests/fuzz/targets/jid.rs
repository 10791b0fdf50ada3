//! An address. One that is accepted is normalised for good: read again, or put together from its parts, it is the same.

use crate::support::unicode::NativeUnicode;
use epode_proto::jid::{Jid, escape_local, unescape_local};

/// The target.
pub fn jid(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_eq!(unescape_local(&escape_local(&text)), text);
    match Jid::parse(&text, &NativeUnicode) {
        Ok(jid) => check(&jid),
        Err(error) => assert!(!error.as_str().is_empty()),
    }
}

#[track_caller]
fn read(text: &str) -> Jid {
    match Jid::parse(text, &NativeUnicode) {
        Ok(jid) => jid,
        Err(error) => panic!("{error}: {text:?}"),
    }
}

fn check(jid: &Jid) {
    let text = jid.as_str();
    assert_eq!(read(text), *jid);

    let (local, domain, resource) = (jid.local(), jid.domain(), jid.resource());
    for part in [local, Some(domain), resource].into_iter().flatten() {
        assert!((1..=1023).contains(&part.len()), "{part:?}");
    }
    let mut joined = String::new();
    if let Some(local) = local {
        let forbidden = ['"', '&', '\'', '/', ':', '<', '>', '@', ' '];
        assert!(!local.contains(forbidden), "{local:?}");
        joined.push_str(local);
        joined.push('@');
    }
    assert!(!domain.contains(['/', '@', ' ', '<', '&']), "{domain:?}");
    joined.push_str(domain);
    assert_eq!(joined, jid.bare_str());
    if let Some(resource) = resource {
        assert!(!resource.contains(char::is_control), "{resource:?}");
        joined.push('/');
        joined.push_str(resource);
    }
    assert_eq!(joined, text);
    let parts = Jid::from_parts(local, domain, resource, &NativeUnicode);
    assert_eq!(parts.as_ref(), Ok(jid));

    let bare = jid.bare();
    assert!(bare.is_bare() && bare.resource().is_none());
    assert_eq!(bare.as_str(), jid.bare_str());
    assert!(bare.same_bare(jid) && jid.same_bare(&bare));
    assert_eq!(jid.is_bare(), *jid == bare);
    assert_eq!(read(&bare.as_str().to_ascii_uppercase()), bare);
    if let Some(resource) = resource {
        let full = bare.with_resource(resource, &NativeUnicode);
        assert_eq!(full.as_ref(), Ok(jid));
    }
}
