//! XEP-0045 and XEP-0410: rooms, as dialogues in virtual time. The fault table's rows are named in the tests.
//!
//! What is optional in the data that is read, and the dialogue in which it is absent (`absent.rs` unless another file is named):
//!
//! | optional | dialogue |
//! | --- | --- |
//! | presence: `id` (echo of ours) | `attempts.rs`: each dialogue runs with and without |
//! | presence: `to` | all: none has one |
//! | presence: `<x muc#user/>` | `an_update_without_item_changes_no_role` |
//! | presence: `<item/>` | the same, and `own_presence_without_item` |
//! | item: `role`, `affiliation`, `jid` | `an_update_without_item_changes_no_role` |
//! | item: `nick` beside 303 | `nicks.rs: a_change_of_nick_in_two_unrelated_presences` |
//! | item: `<actor/>`, its `nick` and `jid`; `<reason/>` | `departures_without_reason_or_actor` |
//! | `<destroy/>`: `jid`, `<reason/>` | `departures_without_reason_or_actor` |
//! | `<status/>`: `code` | `departures_without_reason_or_actor` |
//! | status 110 on joining | `own_presence_without_110…` (3) |
//! | own presence on joining | `a_room_that_sends_no_presence_at_all` |
//! | status 110 on leaving | `departures_without_reason_or_actor` |
//! | status 303, and 110 with it | `a_nick_change_without_303…`, `a_change_of_nick_without_303` |
//! | presence: `<show/>`, `<status/>` | `an_update_without_item_changes_no_role` |
//! | error presence: `id` | `errors_without_an_id` |
//! | error: `by`, `type`, condition, `<text/>`, `<error/>` itself | `errors_without_an_id` |
//! | the subject after the history | `inside.rs: a_room_without_a_subject_is_joined` |
//! | the reply to a leave | `attempts.rs: the_leave_of_a_failed_join_is_settled_at_once` |
//! | message: `id` | `own_messages_without_id`, `returning.rs: history_without_ids_is_reported_once` |
//! | message: `<body/>` | `inside.rs: a_message_without_a_body_is_reported` |
//! | message: `type` | `messages_without_a_type` |
//! | `<delay/>`: `from`; `stamp`; its zone; XEP-0203 at all | `delays.rs` |
//! | bounce: `id`, `<error/>` | `bounces_without_id_or_error` |
//! | configuration reply: payload | `inside.rs: a_new_room_is_configured_before_the_join_is_complete` |
//! | self-ping: any reply | `self_ping.rs: a_room_without_a_reply_is_pinged_less_and_less_often` |

mod absent;
mod attempts;
mod delays;
mod history;
mod inside;
mod nicks;
mod returning;
mod self_ping;
mod senders;
pub mod support;
