//! Extensions, one file each: build and parse payloads without using a connection.

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
