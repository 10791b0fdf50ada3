//! What went wrong, by the name that the surface knows it by; sentences and advice are in pkg-template/src/advice.ts.

use super::crossing::Crossing;
use super::sink::Sink;
use epode_proto::error::CloseReason;
use epode_proto::xml::Element;
use wasm_bindgen::JsValue;

impl Sink {
    /// The error of that name; if the sink throws, the thrown value.
    pub fn error(&self, kind: &str) -> JsValue {
        self.detailed(kind, None, None, None)
    }

    /// The error of that name with details.
    pub fn detailed(
        &self,
        kind: &str,
        first: Option<&str>,
        second: Option<&str>,
        stanza: Option<&Element>,
    ) -> JsValue {
        let Crossing { text, words } = Crossing::of_optional(stanza);
        self.problem(kind, first, second, &text, &words)
            .unwrap_or_else(|thrown| thrown)
    }

    /// The error of a connection that ended or was interrupted; `undefined` if the page requested the end.
    pub fn reason(&self, reason: &CloseReason, service: Option<&str>) -> JsValue {
        if matches!(reason, CloseReason::Requested) {
            return JsValue::UNDEFINED;
        }
        let status = match reason {
            CloseReason::Http(status) => Some(*status),
            _ => None,
        };
        self.close_reason(
            reason.code(),
            reason.sentence(),
            reason.detail().as_deref(),
            reason.condition(),
            reason.text(),
            status,
            service,
        )
        .unwrap_or_else(|thrown| thrown)
    }
}
