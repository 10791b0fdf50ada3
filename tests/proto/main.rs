//! One native binary: dialogues in virtual time, per-XEP cases, properties.

mod dialogues;
mod handler;
mod jid;
mod mask;
mod sasl;
mod simulation;
mod support;
mod xep;
mod xml;
