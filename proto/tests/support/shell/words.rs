//! What the server of a [`Shell`](super::Shell) may say, and how a connection may be set up.

use crate::support::dialogue::{config, service};
use epode_proto::connection::Config;
use epode_proto::reconnect::Reconnect;
use epode_proto::session::Goal;
use epode_proto::transport::Kind;

/// What it may put into a body or a frame; `ID` is the last id that we sent.
pub const PAYLOADS: [&str; 27] = [
    "<message id='in'/>",
    "<message xmlns='urn:example'/>",
    "<iq type='result' id='ID'/>",
    "<iq type='error' id='ID'/>",
    "<iq type='result' id='ID' from='mallory@example.com'/>",
    "<iq type='get' id='ID' from='juliet@example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='result' id='ID'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>",
    "<iq type='result' id='ID'><register:query><register:username/></register:query></iq>",
    "<stream:features><bind:bind/><session:session/></stream:features>",
    "<stream:features><sasl:mechanisms><sasl:mechanism>SCRAM-SHA-1</sasl:mechanism></sasl:mechanisms></stream:features>",
    "<stream:features/>",
    "<stream:error/>",
    "<sasl:success/>",
    "<sasl:challenge>AAAA</sasl:challenge>",
    "<sasl:failure/>",
    "text",
    "<sm:r/>",
    "<sm:a h='1'/>",
    "<sm:a h='4294967295'/>",
    "<sm:enabled id='sm' resume='true' max='300'/>",
    "<sm:resumed previd='sm' h='0'/>",
    "<sm:resumed previd='sm'/>",
    "<sm:failed h='1'/>",
    "<sm:failed/>",
    "<framing:open/>",
    "<framing:close/>",
    "<framing:close see-other-uri='wss://elsewhere.example.org/ws'/>",
];

/// What it may say of a body.
pub const ATTRIBUTES: [&str; 14] = [
    "",
    "",
    "",
    "",
    "type='terminate'",
    "type='terminate' condition='item-not-found'",
    "type='error'",
    "type='unheard-of'",
    "sid='other' requests='9'",
    "sid=''",
    "ack='1'",
    "ack='99999999999999999'",
    "ack='-1'",
    "wait='0' hold='0' polling='0'",
];

/// What it may say when it opens a session over BOSH.
pub const SESSIONS: [&str; 8] = [
    "wait='60' hold='1' requests='2' inactivity='60' polling='5'",
    "wait='60' hold='1' requests='2' ack='1'",
    "wait='60' hold='1'",
    "wait='10' hold='2' requests='3' inactivity='3'",
    "wait='0' hold='0' requests='1' polling='10'",
    "requests='0' polling='0' wait='x'",
    "requests='5' hold='4' inactivity='18446744073709551615'",
    "wait='18446744073709551615' polling='18446744073709551615'",
];

/// How a connection is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// By which services, in order.
    pub services: &'static [Kind],
    /// Is it made again when it broke?
    pub lasts: bool,
    /// Does the server offer XEP-0198?
    pub managed: bool,
    /// Is it there to make an account?
    pub registers: bool,
}

/// The ways that there are.
pub const WAYS: [Way; 9] = [
    way(&[Kind::Bosh], false, false),
    way(&[Kind::Bosh], true, false),
    way(&[Kind::WebSocket], false, false),
    way(&[Kind::WebSocket], true, true),
    way(&[Kind::WebSocket], true, false),
    way(&[Kind::WebSocket, Kind::Bosh], true, true),
    way(&[Kind::Bosh, Kind::WebSocket], true, true),
    Way {
        registers: true,
        ..way(&[Kind::Bosh], false, false)
    },
    Way {
        registers: true,
        ..way(&[Kind::WebSocket], true, true)
    },
];

const fn way(services: &'static [Kind], lasts: bool, managed: bool) -> Way {
    Way {
        services,
        lasts,
        managed,
        registers: false,
    }
}

impl Way {
    /// As the connection gets to know it.
    pub fn config(&self) -> Config {
        let mut config = config();
        if self.registers {
            config.session.goal = Goal::Register(vec![("username".into(), "romeo".into())]);
        }
        config.services = Vec::new();
        for kind in self.services {
            let address = match kind {
                Kind::Bosh => "https://example.org/http-bind",
                Kind::WebSocket => "wss://example.org/ws",
            };
            config.services.push(service(*kind, address));
        }
        config.session.pipelining = self.lasts;
        config.reconnect = self.lasts.then(Reconnect::default);
        config.bosh.spaced = true;
        config
    }
}
