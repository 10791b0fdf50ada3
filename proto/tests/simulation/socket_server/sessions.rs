//! Sessions of the socket server that are made: by themselves, or in a login (XEP-0388), with stream management; and that are sent
//! elsewhere.

use super::{Resumption, Session, SocketServer, bindable, offering, said};
use crate::simulation::extras::{Extra, Granted};
use crate::simulation::judge::Judge;
use crate::simulation::server::{Management, Say};
use epode_proto::ns;
use epode_proto::time::Instant;
use std::collections::VecDeque;

impl SocketServer {
    /// The stream of a session ends, and its client is told where to go. The session can be resumed there, where it can be at all.
    /// False when it has no stream.
    pub fn move_session(
        &mut self,
        number: usize,
        text: String,
        now: Instant,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) -> bool {
        let session = self.sessions.iter().find(|one| one.number == number);
        let Some(Ok(link)) = session.map(|session| session.link) else {
            return false;
        };
        out.push(said(link, text));
        self.closed(link, now, judge);
        true
    }

    /// Whether a session of that id can be resumed.
    pub fn keeps(&self, id: &str) -> bool {
        let known = |one: &Session| one.resumable && format!("sm{}", one.number) == id;
        self.sessions.iter().any(known)
    }

    /// A new session on a stream; its number.
    pub(super) fn bind(&mut self, link: u64, judge: &mut Judge) -> usize {
        let number = judge.bound(true);
        self.sessions.push(Session {
            number,
            link: Ok(link),
            managed: false,
            resumable: false,
            handled: 0,
            said: 0,
            unacked: VecDeque::new(),
        });
        number
    }

    /// Stream management is on from here: `<enabled/>`.
    pub(super) fn enable(&mut self, at: usize) -> String {
        let resumes = self.abilities.management == Management::Resumes;
        let session = &mut self.sessions[at];
        session.managed = true;
        session.resumable = resumes;
        let number = session.number;
        let attributes = if resumes {
            format!(
                "resume='true' id='sm{number}' max='{}'",
                self.abilities.says
            )
        } else {
            String::new()
        };
        format!("<enabled xmlns='{}' {attributes}/>", ns::STREAM_MANAGEMENT)
    }

    /// XEP-0388: the login is right; a session goes on with it, or is bound.
    pub(super) fn grant(
        &mut self,
        link: u64,
        granted: &Granted,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) {
        judge.extras.note(Extra::Sasl2OverSocket);
        let mut inner = String::new();
        if let Some(resume) = granted.wants("resume", ns::STREAM_MANAGEMENT) {
            let previd = resume.attr("previd").unwrap_or_default();
            let h = resume.attr("h").and_then(|h| h.parse().ok());
            match self.resume(link, previd, h, judge, out) {
                Resumption::Ended => return,
                Resumption::Failed(failed) => {
                    judge.extras.note(Extra::ResumeRefusedInline);
                    inner = failed;
                }
                Resumption::Resumed { at, resumed } => {
                    judge.extras.note(Extra::ResumedInline);
                    let number = self.sessions[at].number;
                    out.push(said(link, granted.success(Some(number), &resumed)));
                    out.push(said(link, offering(&bindable(self.abilities))));
                    return self.say_unacked(link, at, out);
                }
            }
        }
        let mut number = None;
        if let Some(bind) = granted.wants("bind", ns::BIND2) {
            judge.extras.note(Extra::BoundInline);
            number = Some(self.bind(link, judge));
            let mut enabled = String::new();
            if bind.has_child("enable", ns::STREAM_MANAGEMENT) {
                judge.extras.note(Extra::EnabledInline);
                enabled = self.enable(self.sessions.len() - 1);
            }
            inner.push_str(&format!("<bound xmlns='{}'>{enabled}</bound>", ns::BIND2));
        }
        out.push(said(link, granted.success(number, &inner)));
        out.push(said(link, offering(&bindable(self.abilities))));
    }
}
