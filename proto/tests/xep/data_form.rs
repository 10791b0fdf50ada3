//! XEP-0004.

use epode_proto::ns;
use epode_proto::xep::data_form::{Form, FormKind, submit};
use epode_proto::xml::Element;

use super::{example, values, xml};

fn form_of(number: u64) -> (Element, Form) {
    let command = example("0004", number)
        .children()
        .next()
        .expect("a command");
    let x = command.child("x", ns::DATA_FORM).expect("a form");
    let form = Form::parse(&x).expect("a form");
    (x, form)
}

#[test]
fn a_form_is_read() {
    let (_, form) = form_of(2);
    assert_eq!(form.kind, FormKind::Form);
    assert_eq!(form.title.as_deref(), Some("Bot Configuration"));
    assert_eq!(
        form.instructions.as_deref(),
        Some("Fill out this form to configure your new bot!")
    );
    assert_eq!(form.form_type(), Some("jabber:bot"));
    assert_eq!(form.fields.len(), 12);
    let public = form.field("public").expect("a field");
    assert!(public.is("boolean") && public.required);
    assert_eq!(public.label.as_deref(), Some("Public bot?"));
    let features = form.field("features").expect("a field");
    assert_eq!(features.values, ["news", "search"]);
    assert_eq!(features.options.len(), 5);
    assert_eq!(
        features.options[0],
        (Some("Contests".into()), "contests".into())
    );
    assert_eq!(form.value("maxsubs"), Some("20"));
    let people = form.field("invitelist").expect("a field");
    assert_eq!(
        people.description.as_deref(),
        Some("Tell all your friends about your new bot!")
    );
    assert!(!people.required && people.values.is_empty());
}

#[test]
fn a_form_is_submitted_as_in_the_example() {
    let (_, form) = form_of(2);
    let (expected, _) = form_of(3);
    let answer = form.answer(&values(&[
        ("botname", &["The Jabber Google Bot"]),
        (
            "description",
            &[
                "This bot enables you to send requests to",
                "Google and receive the search results right",
                "in your Jabber client. It' really cool!",
                "It even supports Google News!",
            ],
        ),
        ("public", &["0"]),
        ("password", &["v3r0na"]),
        // `features` keeps what the form starts with.
        ("maxsubs", &["50"]),
        (
            "invitelist",
            &["juliet@capulet.com", "benvolio@montague.net"],
        ),
        ("no such field", &["not sent"]),
    ]));
    assert_eq!(answer, Ok(expected));
}

#[test]
fn missing_required_fields_are_named() {
    let (_, form) = form_of(2);
    assert_eq!(form.answer(&values(&[])), Err(vec!["public".into()]));
    assert_eq!(
        form.answer(&values(&[("public", &[])])),
        Err(vec!["public".into()])
    );
    assert_eq!(
        form.answer(&values(&[("public", &[""])])),
        Err(vec!["public".into()])
    );
    assert!(form.answer(&values(&[("public", &["1"])])).is_ok());
}

#[test]
fn fixed_and_empty_fields_are_not_sent() {
    let form = Form::parse(&xml(
        "<x xmlns='jabber:x:data' type='form'><field type='fixed' var='words'><value>Read this</value></field>
         <field var='optional'/><field var='kept'><value>as it is</value></field></x>",
    ))
    .expect("a form");
    assert_eq!(
        form.answer(&[]),
        Ok(xml(
            "<x xmlns='jabber:x:data' type='submit'><field var='kept'><value>as it is</value></field></x>"
        ))
    );
    // Emptied on purpose.
    let emptied = form.answer(&values(&[("kept", &[])]));
    assert_eq!(emptied, Ok(xml("<x xmlns='jabber:x:data' type='submit'/>")));
}

#[test]
fn a_result_has_rows() {
    let (_, form) = form_of(8);
    assert_eq!(form.kind, FormKind::Result);
    let columns: Vec<_> = form
        .reported
        .iter()
        .map(|field| field.var.as_deref())
        .collect();
    assert_eq!(columns, [Some("name"), Some("url")]);
    assert_eq!(form.items.len(), 5);
    assert_eq!(
        form.items[3][1].value(),
        Some("http://www.aeroportoverona.it/")
    );
}

#[test]
fn a_submission_is_read_back() {
    let given = values(&[
        ("pubsub#title", &["A & B"]),
        ("pubsub#children", &["one", "two"]),
    ]);
    let form = Form::parse(&submit("urn:example", &given)).expect("a form");
    assert_eq!(form.kind, FormKind::Submit);
    assert_eq!(form.form_type(), Some("urn:example"));
    assert!(form.field("FORM_TYPE").expect("it").is("hidden"));
    assert_eq!(
        form.field("pubsub#children").expect("it").values,
        ["one", "two"]
    );
    assert_eq!(form.value("pubsub#title"), Some("A & B"));
}

#[test]
fn unusual_forms_are_read_as_far_as_possible() {
    assert_eq!(Form::parse(&xml("<x xmlns='jabber:x:oob'/>")), None);
    let form = Form::parse(&xml(
        "<x xmlns='jabber:x:data' type='cancel'><instructions>a</instructions><instructions>b</instructions>
         <field/><field var='v'><option/><value/></field><field xmlns='urn:other' var='w'/></x>",
    ))
    .expect("a form");
    assert_eq!(form.kind, FormKind::Cancel);
    assert_eq!(form.instructions.as_deref(), Some("a\nb"));
    assert_eq!(form.fields.len(), 2);
    assert!(form.fields[0].var.is_none() && form.fields[0].is("text-single"));
    assert_eq!(form.value("v"), Some(""));
    assert!(form.answer(&[]).is_ok());
}
