//! Extensions, one file each: payloads built and read, never a connection called.

pub mod audience;
pub mod caps;
pub mod data_form;
pub mod delay;
pub mod disco;
pub mod muc;
pub mod ping;
pub mod pubsub;
pub mod register;
pub mod responder;
pub mod rsm;
pub mod time;
pub mod version;
