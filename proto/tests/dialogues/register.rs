//! XEP-0077 before login: an account is created, or the reason is reported.

use crate::support::dialogue::{Dialogue, config};
use epode_proto::session::Goal;

/// A stream that is opened to register `romeo` with `values` beside the name and the password; the features have arrived.
fn asked(values: &[(&str, &str)]) -> Dialogue {
    let mut config = config();
    let mut fields = vec![("username", "romeo"), ("password", "r0m30")];
    fields.extend(values);
    config.session.goal = Goal::Register(
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    );
    let mut dialogue = Dialogue::new(config);
    dialogue.play(
        "A: connect
         E: connecting
         C: <body rid='1' to='example.org' content='*' ver='*' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
         S: <body sid='s1' wait='60' hold='1' requests='2'><stream:features>
              <register xmlns='http://jabber.org/features/iq-register'/></stream:features></body>
         C: <body rid='2'><iq type='get' to='example.org' id='$fields'><register:query/></iq></body>",
    );
    dialogue
}

const ENDED: &str = "C: <body rid='3' type='terminate'/>\nE: offline registration-failed";

#[test]
fn registration_by_fields() {
    let mut dialogue = asked(&[("email", "romeo@montague.example"), ("unasked", "x")]);
    dialogue.play(
        "S: <body><iq type='result' id='$fields'><register:query><register:instructions>Choose.</register:instructions>
              <register:username/><register:password/><register:email/></register:query></iq></body>
         C: <body rid='3'><iq type='set' to='example.org' id='$set'><register:query><register:username>romeo</register:username>
              <register:password>r0m30</register:password><register:email>romeo@montague.example</register:email></register:query></iq></body>
         S: <body><iq type='result' id='$set'/><iq type='result' id='$set'/></body>
         C: <body rid='4' type='terminate'/>
         E: registered
         S: <body type='terminate'/>
         E: offline disconnected",
    );
    assert!(dialogue.connection.is_offline());
}

#[test]
fn registration_by_a_data_form() {
    asked(&[]).play(
        "+29s
         S: <body><iq type='result' id='$fields'><register:query><x xmlns='jabber:x:data' type='form'>
              <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>
              <field type='text-single' var='username'><required/></field>
              <field type='text-private' var='password'><required/></field></x></register:query></iq></body>
         C: <body rid='3'><iq type='set' to='example.org' id='$set'><register:query><x xmlns='jabber:x:data' type='submit'>
              <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>
              <field type='text-single' var='username'><value>romeo</value></field>
              <field type='text-private' var='password'><value>r0m30</value></field></x></register:query></iq></body>
         S: <body><iq type='result' id='$set'/></body>
         C: <body rid='4' type='terminate'/>
         E: registered
         +2999ms
         +1ms
         C: cancel 4
         E: offline disconnected",
    );
}

#[test]
fn the_name_is_taken() {
    asked(&[]).play(
        "S: <body><iq type='result' id='$fields'><register:query><register:username/><register:password/></register:query></iq></body>
         C: <body rid='3'><iq type='set' to='example.org' id='$set'><register:query><register:username>romeo</register:username>
              <register:password>r0m30</register:password></register:query></iq></body>
         S: <body><iq type='error' id='$set'><error type='cancel' xmlns='jabber:client'>
              <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Taken.</text></error></iq></body>
         C: <body rid='4' type='terminate'/>
         E: offline registration-failed conflict (Taken.)",
    );
}

#[test]
fn the_server_has_no_registration() {
    asked(&[]).play(&format!(
        "S: <body><iq type='error' id='$fields'><error type='cancel' xmlns='jabber:client'>
              <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq></body>
         {ENDED} service-unavailable"
    ));
}

#[test]
fn registration_requires_a_web_page() {
    asked(&[]).play(&format!(
        "S: <body><iq type='result' id='$fields'><register:query><x xmlns='jabber:x:oob'>
              <url>https://example.org/register</url></x></register:query></iq></body>
         {ENDED} needs a person at https://example.org/register"
    ));
}

#[test]
fn fields_are_missing() {
    asked(&[]).play(&format!(
        "S: <body><iq type='result' id='$fields'><register:query><register:username/><register:password/><register:email/>
              <register:phone/></register:query></iq></body>
         {ENDED} missing email phone"
    ));
}

#[test]
fn an_invalid_form() {
    asked(&[]).play(
        "S: <body><iq type='result' id='$fields'/></body>
         C: <body rid='3' type='terminate'/>
         E: offline protocol-error a registration form that is none",
    );
}

#[test]
fn only_the_reply_to_our_own_request_counts() {
    asked(&[]).play(
        "S: <body><iq type='result' id='other'><register:query><register:username/></register:query></iq></body>
         C: <body rid='3'/>
         S: <body><iq type='result' id='$fields'><register:query><register:username/></register:query></iq></body>
         C: <body rid='4'><iq type='set' to='example.org' id='*'><register:query><register:username>romeo</register:username></register:query></iq></body>",
    );
}

#[test]
fn a_registration_without_a_reply() {
    asked(&[]).play(
        "+30s
         C: <body rid='3' type='terminate'/>
         C: cancel 2
         E: offline timeout registering",
    );
}

#[test]
fn no_registration_on_an_unencrypted_connection() {
    let mut config = config();
    config.session.plain_text_allowed = false;
    config.session.goal = Goal::Register(Vec::new());
    let mut dialogue = Dialogue::new(config);
    dialogue.play(
        "A: connect
         E: connecting
         C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='*' xmpp:version='*'/>
         S: <body sid='s1'><stream:features/></body>
         C: <body rid='2' type='terminate'/>
         E: offline insecure",
    );
}

/// The account exists, whatever happens to the terminating request.
#[test]
fn the_connection_is_lost_after_the_registration() {
    for end in [
        "S: <body type='terminate' condition='system-shutdown'/>",
        "S: <body type='terminate' condition='remote-stream-error'><stream:error>
              <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>",
        "S 404: ",
    ] {
        asked(&[]).play(
            &format!("S: <body><iq type='result' id='$fields'><register:query><register:username/></register:query></iq></body>
             C: <body rid='3'><iq type='set' to='example.org' id='$set'><register:query><register:username>romeo</register:username></register:query></iq></body>
             S: <body><iq type='result' id='$set'/></body>
             C: <body rid='4' type='terminate'/>
             E: registered
             {end}
             E: offline disconnected"),
        );
    }
}
