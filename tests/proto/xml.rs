//! XML: what is read, what is refused, what is written.

use epode::proto::ns;
use epode::proto::xml::{Element, Limits, XmlError, parse};

fn read(xml: &str) -> Result<Element, XmlError> {
    parse(xml.as_bytes().to_vec(), &Limits::default())
}

#[test]
fn reads_a_message() {
    let message = read("<message xmlns='jabber:client' from='a@b/c' xml:lang='en'><body>hi &amp; <![CDATA[<bye>]]></body><x xmlns='y'/></message>").unwrap();
    assert!(message.is("message", ns::CLIENT));
    assert_eq!(message.attr("from"), Some("a@b/c"));
    assert_eq!(message.attr("lang"), None);
    assert_eq!(message.attr_ns("lang", ns::XML), Some("en"));
    assert_eq!(
        message.child_text("body", ns::CLIENT).unwrap(),
        "hi & <bye>"
    );
    assert!(message.has_child("x", "y"));
    assert_eq!(
        message.to_xml(),
        "<message xmlns='jabber:client' from='a@b/c' xml:lang='en'><body>hi &amp; &lt;bye&gt;</body><x xmlns='y'/></message>"
    );
}
