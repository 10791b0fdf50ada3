//! The options of a client, as the configuration of the protocol.

use super::settings::{Settings, pairs};
use epode_proto::client::ClientConfig;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::allowable_name;
use epode_proto::session::Goal;
use epode_proto::xep::audience::Audience;

impl Settings {
    /// The configuration of the client; `None` if a service is invalid.
    pub fn client(&self) -> Option<ClientConfig> {
        let mut services = self.services()?;
        let domain = self.domain();
        let first = (!services.is_empty()).then(|| services.remove(0))?;
        let mut config = ClientConfig::for_service(first, &domain);
        config.initial_presence = self.flag("presence");
        config.ephemeral = self.flag("anonymous");
        config.audience = self
            .text("answerTo")
            .and_then(|name| Audience::parse(&name))
            .unwrap_or_default();
        let about = &mut config.about;
        about.identity.name = self.text("name");
        about.version.name = self.text("name").unwrap_or_else(|| "epode".to_owned());
        if let Some(version) = self.text("version") {
            about.version.version = version;
        }
        about.version.os = self.text("os");
        about.features = self.texts("features").unwrap_or_default();
        let connection = &mut config.connection;
        connection.services.append(&mut services);
        connection.timeout = self.timeout();
        connection.stream_management = self.flag("streamManagement");
        connection.silence = self.millis("silence").unwrap_or_default();
        let mut pauses = Reconnect::default();
        pauses.least = self.millis("least").unwrap_or(pauses.least);
        pauses.most = self.millis("most").unwrap_or(pauses.most);
        connection.reconnect = self.flag("reconnect").then_some(pauses);
        connection.bosh.pauses = connection.reconnect.unwrap_or_default();
        connection.bosh.keys = self.flag("keys");
        self.fill(&mut connection.bosh);
        let session = &mut connection.session;
        session.account = self.text("account");
        session.resource = self.text("resource");
        session.plain_text_allowed = self.flag("allowPlainText");
        session.mechanisms = self.texts("mechanisms").map(|names| {
            let names = names.iter();
            names.filter_map(|name| allowable_name(name)).collect()
        });
        if let Some(fields) = self.texts("registration") {
            session.goal = Goal::Register(pairs(fields));
        }
        Some(config)
    }

    /// The name under which the session is stored over a reload, if it is.
    pub fn keep(&self) -> Option<String> {
        self.text("keep")
    }
}
