//! Default values of the client's configuration.

use super::ClientConfig;
use crate::connection::Config;
use crate::reconnect::Reconnect;
use crate::session::{Goal, SessionConfig};
use crate::time::Millis;
use crate::transport::Service;
use crate::transport::bosh::BoshConfig;
use crate::xep::audience::Audience;
use crate::xep::disco::Identity;
use crate::xep::responder::About;
use crate::xep::version::Version;

impl ClientConfig {
    /// Configuration that logs in to `domain` at one service, reconnects, sends initial presence and answers every disco#info. Change the
    /// fields that differ.
    pub fn for_service(service: Service, domain: &str) -> Self {
        let pauses = Reconnect::default();
        let mut bosh = BoshConfig::for_domain(domain);
        bosh.pauses = pauses;
        let session = SessionConfig {
            goal: Goal::Login,
            domain: domain.into(),
            account: None,
            resource: None,
            plain_text_allowed: false,
            mechanisms: None,
            pipelining: true,
        };
        Self {
            connection: Config {
                session,
                services: vec![service],
                bosh,
                timeout: Millis::seconds(30),
                reconnect: Some(pauses),
                stream_management: true,
                silence: Millis::seconds(30),
            },
            initial_presence: true,
            ephemeral: false,
            about: About {
                version: Version {
                    name: env!("CARGO_PKG_NAME").into(),
                    version: env!("CARGO_PKG_VERSION").into(),
                    os: None,
                },
                identity: Identity {
                    category: "client".into(),
                    kind: "web".into(),
                    name: None,
                },
                features: Vec::new(),
                nodes: Vec::new(),
            },
            audience: Audience::Everyone,
        }
    }
}
