//! After the credentials: features, the restart, the binding; and the timeout of each phase.

use super::login::{offered, offered_with};
use super::{features, opened};
use crate::support::dialogue::{Dialogue, config};

#[test]
fn features_in_a_later_response() {
    let mut dialogue = opened(config());
    dialogue.play(&format!(
        "A: anonymous
         S: <body sid='s1' wait='60' hold='1' requests='2'/>
         C: <body rid='2'/>
         S: <body>{}</body>
         E: authenticating
         C: <body rid='3'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:success/></body>
         C: <body rid='4' to='example.org' xmpp:restart='true'/>
         S: <body/>
         C: <body rid='5'/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='6'><iq type='set' id='*'><bind:bind/></iq></body>",
        features(&["ANONYMOUS"])
    ));
}

/// The attributes and namespaces of the session response as in XEP-0206 (example 2), with a requested `xml:lang`.
#[test]
fn the_session_of_the_specification() {
    let mut config = config();
    config.bosh.lang = Some("de".into());
    config.bosh.wait = 30;
    config.bosh.hold = 2;
    let mut dialogue = Dialogue::new(config);
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='example.org' xml:lang='de' content='text/xml; charset=utf-8' ver='1.11' wait='30' hold='2'
              ack='1' xmpp:version='1.0'/>
         A: anonymous
         S 200 text/xml; charset=utf-8: <?xml version='1.0'?>
            <body wait='60' inactivity='30' polling='5' requests='2' hold='1' from='example.com' accept='deflate,gzip'
              sid='SomeSID' charsets='ISO_8859-1 ISO-2022-JP' xmpp:restartlogic='true' xmpp:version='1.0'
              authid='ServerStreamID' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'
              xmlns:stream='http://etherx.jabber.org/streams'>
              <stream:features>
                <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>
                  <mechanism>SCRAM-SHA-1</mechanism><mechanism>ANONYMOUS</mechanism>
                </mechanisms>
              </stream:features>
            </body>
         E: authenticating
         C: <body rid='2' sid='SomeSID'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:success/></body>
         C: <body rid='3' sid='SomeSID' to='example.org' xml:lang='de' xmpp:restart='true'/>",
    );
}

/// Attribute values are escaped.
#[test]
fn names_with_every_xml_character() {
    opened(config()).play(
        "S: <body sid='a&amp;b&lt;c&apos;d&quot;e>f'/>
         C: <body rid='2' sid='a&amp;b&lt;c&apos;d&quot;e>f'/>",
    );
}

#[test]
fn a_requested_resource() {
    let mut config = config();
    config.session.resource = Some("balcony".into());
    offered_with(config, "anonymous", &["ANONYMOUS"]).play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:success/></body>
         C: <body rid='3' to='example.org' xmpp:restart='true'/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='4'><iq type='set' id='$bind'><bind:bind><bind:resource>balcony</bind:resource></bind:bind></iq></body>
         S: <body><iq type='error' id='$bind'><error type='cancel' xmlns='jabber:client'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Taken.</text></error></iq></body>
         C: <body rid='5' type='terminate'/>
         E: offline bind-failed conflict (Taken.)",
    );
}

/// Plays the dialogue up to the binding request, rid 4, whose id is `$bind`.
fn binding(session_feature: &str) -> Dialogue {
    let mut dialogue = offered("anonymous", &["ANONYMOUS"]);
    dialogue.play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:success/></body>
         C: <body rid='3' to='example.org' xmpp:restart='true'/>
         S: <body><stream:features><bind:bind/>{session_feature}</stream:features></body>
         E: binding
         C: <body rid='4'><iq type='set' id='$bind'><bind:bind/></iq></body>"
    ));
    dialogue
}

const BOUND: &str = "<iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>";

#[test]
fn a_required_legacy_session() {
    binding("<session:session/>").play(&format!(
        "S: <body>{BOUND}</body>
         C: <body rid='5'><iq type='set' id='$session'><session:session/></iq></body>
         S: <body><iq type='result' id='$session'/></body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='6'/>"
    ));
}

#[test]
fn a_refused_legacy_session() {
    binding("<session:session/>").play(&format!(
        "S: <body>{BOUND}</body>
         C: <body rid='5'><iq type='set' id='$session'><session:session/></iq></body>
         S: <body><iq type='error' id='$session'><error type='wait' xmlns='jabber:client'>
              <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq></body>
         C: <body rid='6' type='terminate'/>
         E: offline bind-failed internal-server-error"
    ));
}

#[test]
fn an_optional_legacy_session_is_not_requested() {
    binding("<session:session><session:optional/></session:session>").play(&format!(
        "S: <body>{BOUND}</body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='5'/>"
    ));
}

#[test]
fn only_the_reply_to_our_own_request_binds() {
    binding("").play(&format!(
        "S: <body><iq type='result' id='other'><bind:bind><bind:jid>mallory@example.org/x</bind:jid></bind:bind></iq>
              <iq type='get' id='$bind'><bind:bind><bind:jid>mallory@example.org/x</bind:jid></bind:bind></iq></body>
         C: <body rid='5'/>
         S: <body>{BOUND}<message><body xmlns='jabber:client'>hello</body></message></body>
         E: online romeo@example.org/orchard
         E: stanza <message><body xmlns='jabber:client'>hello</body></message>
         +50ms
         C: <body rid='6'/>"
    ));
}

#[test]
fn a_binding_without_a_full_jid() {
    for jid in ["", "romeo@example.org", "@/"] {
        binding("").play(&format!(
            "S: <body><iq type='result' id='$bind'><bind:bind><bind:jid>{jid}</bind:jid></bind:bind></iq></body>
             C: <body rid='5' type='terminate'/>
             E: offline protocol-error a binding without a full JID"
        ));
    }
}

#[test]
fn a_server_that_does_not_bind() {
    offered("anonymous", &["ANONYMOUS"]).play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:success/></body>
         C: <body rid='3' to='example.org' xmpp:restart='true'/>
         S: <body><stream:features/></body>
         C: <body rid='4' type='terminate'/>
         E: offline protocol-error no resource binding after login",
    );
}

#[test]
fn a_stream_error_during_the_login() {
    offered("anonymous", &["ANONYMOUS"]).play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body type='terminate' condition='remote-stream-error'><stream:error>
              <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>No such host.</text></stream:error></body>
         E: offline stream-error host-unknown (No such host.)",
    );
}

// ── every phase has its end ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_server_that_never_responds() {
    opened(config()).play(
        "+29999ms
         +1ms
         C: cancel 1
         E: offline timeout connecting
         +600s",
    );
}

#[test]
fn a_server_that_never_sends_features() {
    opened(config()).play(
        "A: anonymous
         +10s
         S: <body sid='s1'/>
         C: <body rid='2'/>
         +20s
         C: <body rid='3' type='terminate'/>
         C: cancel 2
         E: offline timeout features",
    );
}

#[test]
fn a_page_that_never_gives_credentials() {
    opened(config()).play(&format!(
        "S: <body sid='s1'>{}</body>
         C: <body rid='2'/>
         +30s
         C: <body rid='3' type='terminate'/>
         C: cancel 2
         E: offline timeout credentials",
        features(&["ANONYMOUS"])
    ));
}

#[test]
fn a_login_without_a_response() {
    offered("anonymous", &["ANONYMOUS"]).play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         +30s
         C: <body rid='3' type='terminate'/>
         C: cancel 2
         E: offline timeout authenticating",
    );
}

#[test]
fn a_binding_without_a_reply() {
    binding("").play(
        "+30s
         C: <body rid='5' type='terminate'/>
         C: cancel 4
         E: offline timeout binding",
    );
}

#[test]
fn the_connecting_deadline_ends_when_online() {
    Dialogue::online("wait='60' hold='1' requests='2'").play("+31s");
}
