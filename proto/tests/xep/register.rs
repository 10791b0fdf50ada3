//! XEP-0077.

use epode_proto::xep::register::{self, Requirements, Unanswered};

use super::{asked, example, xml};

fn wanted(number: u64) -> Requirements {
    Requirements::parse(&example("0077", number)).expect("requirements")
}

fn with(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(name, value)| (name.into(), value.into()))
        .collect()
}

fn reply(query: &str) -> Requirements {
    let reply = xml(&format!(
        "<iq type='result'><query xmlns='jabber:iq:register'>{query}</query></iq>"
    ));
    Requirements::parse(&reply).expect("requirements")
}

#[test]
fn requests_are_as_in_the_examples() {
    assert_eq!(register::fields(Some("shakespeare.lit")), asked("0077", 1));
    assert_eq!(register::remove(None), asked("0077", 11));
    assert_eq!(
        register::remove(Some("marlowe.shakespeare.lit")),
        asked("0077", 34)
    );
    assert_eq!(
        register::change_password(Some("shakespeare.lit"), "bill", "newpass"),
        asked("0077", 18)
    );
}

#[test]
fn fields_are_read_and_answered() {
    let wanted = wanted(2);
    assert!(!wanted.registered);
    assert!(
        wanted
            .instructions
            .as_deref()
            .expect("words")
            .starts_with("Choose a username")
    );
    let names: Vec<_> = wanted
        .fields
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["username", "password", "email"]);
    let answer = wanted.answer(
        None,
        &with(&[
            ("email", "bard@shakespeare.lit"),
            ("password", "Calliope"),
            ("username", "bill"),
            ("phone", "not asked for, not told"),
        ]),
    );
    assert_eq!(answer, Ok(asked("0077", 4)));
}

#[test]
fn missing_fields_are_named() {
    let answer = wanted(2).answer(None, &with(&[("username", "bill"), ("password", "")]));
    assert_eq!(
        answer,
        Err(Unanswered::Missing(vec!["password".into(), "email".into()]))
    );
}

#[test]
fn an_account_that_is_there_shows_what_it_holds() {
    let wanted = wanted(3);
    assert!(wanted.registered);
    assert_eq!(wanted.fields[0], ("username".into(), "juliet".into()));
    // What is there need not be given again.
    assert!(wanted.answer(None, &with(&[("password", "new")])).is_ok());
}

#[test]
fn the_key_of_old_hosts_goes_back() {
    let answer = reply("<username/><password/><key>106c0a7b</key>").answer(
        None,
        &with(&[("username", "bill"), ("password", "Calliope")]),
    );
    assert_eq!(
        answer,
        Ok(xml(
            "<iq type='set'><query xmlns='jabber:iq:register'><username>bill</username>
            <password>Calliope</password><key>106c0a7b</key></query></iq>"
        ))
    );
}

#[test]
fn a_data_form_wins_over_fields() {
    let wanted = reply(
        "<instructions>Use the form</instructions><username/><password/><misc/>
         <x xmlns='jabber:x:data' type='form'>
           <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>
           <field type='text-single' var='username'><required/></field>
           <field type='text-private' var='password'><required/></field>
         </x>",
    );
    let answer = wanted.answer(
        None,
        &with(&[("username", "bill"), ("password", "Calliope")]),
    );
    assert_eq!(
        answer,
        Ok(xml("<iq type='set'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>
            <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>
            <field type='text-single' var='username'><value>bill</value></field>
            <field type='text-private' var='password'><value>Calliope</value></field>
            </x></query></iq>"))
    );
    let answer = wanted.answer(None, &with(&[("username", "bill")]));
    assert_eq!(answer, Err(Unanswered::Missing(vec!["password".into()])));
}

#[test]
fn the_form_of_the_example_is_answered() {
    let wanted = wanted(9);
    let answer = wanted
        .answer(
            Some("contests.shakespeare.lit"),
            &with(&[
                ("first", "Juliet"),
                ("last", "Capulet"),
                ("email", "juliet@capulet.com"),
                ("x-gender", "F"),
            ]),
        )
        .expect("an answer");
    // The example repeats the labels, which nobody needs.
    let mut expected = asked("0077", 10).to_xml();
    while let Some(start) = expected.find(" label='") {
        let end = expected[start + 8..].find('\'').expect("a quote");
        expected.replace_range(start..start + 9 + end, "");
    }
    assert_eq!(answer, xml(&expected));
}

#[test]
fn a_refusal_may_hold_a_form() {
    let wanted = wanted(23);
    let form = wanted.form.as_ref().expect("a form");
    assert_eq!(form.form_type(), Some("jabber:iq:register:changepassword"));
    let answer = wanted.answer(
        Some("shakespeare.lit"),
        &with(&[
            ("username", "bill@shakespeare.lit"),
            ("old_password", "theglobe"),
            ("password", "groundlings"),
            ("x-mmn", "Throckmorton"),
        ]),
    );
    assert_eq!(
        answer,
        Ok(asked("0077", 24).with_attr("to", "shakespeare.lit"))
    );
}

#[test]
fn a_page_elsewhere_needs_a_human() {
    let wanted = wanted(25);
    let page = "http://www.shakespeare.lit/contests.php";
    assert_eq!(wanted.url.as_deref(), Some(page));
    assert_eq!(
        wanted.answer(None, &with(&[("username", "bill")])),
        Err(Unanswered::NeedsHuman {
            addresses: vec![page.into()],
            fields: vec![],
        })
    );
    // Where there are fields as well, they come first (§6).
    let both = reply("<username/><password/><x xmlns='jabber:x:oob'><url>http://a/</url></x>");
    assert!(
        both.answer(None, &with(&[("username", "b"), ("password", "c")]))
            .is_ok()
    );
}

#[test]
fn a_captcha_needs_a_human() {
    let captcha = "<x xmlns='jabber:x:data' type='form'>
        <field type='hidden' var='FORM_TYPE'><value>urn:xmpp:captcha</value></field>
        <field type='text-single' var='username'><required/></field>
        <field type='text-private' var='password'><required/></field>
        <field type='hidden' var='challenge'><value>F3A6292C</value></field>
        <field type='text-single' var='captcha-fallback-url'><value>https://example.org/captcha/1</value></field>
        <field var='ocr' label='Enter the text you see'>
          <media xmlns='urn:xmpp:media-element'><uri type='image/jpeg'>cid:sha1+f24030b8@bob.xmpp.org</uri></media>
          REQUIRED
        </field></x>";
    for required in ["<required/>", ""] {
        let wanted = reply(&captcha.replace("REQUIRED", required));
        let given = with(&[("username", "bill"), ("password", "Calliope")]);
        assert_eq!(
            wanted.answer(None, &given),
            Err(Unanswered::NeedsHuman {
                addresses: vec![
                    "cid:sha1+f24030b8@bob.xmpp.org".into(),
                    "https://example.org/captcha/1".into(),
                ],
                fields: vec!["ocr".into()],
            })
        );
        // What the page could give itself is said first.
        assert_eq!(
            wanted.answer(None, &given[..1]),
            Err(Unanswered::Missing(vec!["password".into()]))
        );
        // Solved, it is answered, and what was hidden in it goes back.
        let solved = with(&[
            ("username", "bill"),
            ("password", "Calliope"),
            ("ocr", "7nHL3"),
        ]);
        let answer = wanted.answer(None, &solved).expect("an answer").to_xml();
        assert!(
            answer.contains("7nHL3") && answer.contains("F3A6292C"),
            "{answer}"
        );
    }
}

#[test]
fn a_host_that_asks_for_nothing_is_told_who_registers() {
    let answer = reply("").answer(
        None,
        &with(&[("username", "bill"), ("password", "x"), ("email", "e")]),
    );
    assert_eq!(
        answer,
        Ok(xml(
            "<iq type='set'><query xmlns='jabber:iq:register'><username>bill</username><password>x</password></query></iq>"
        ))
    );
    assert_eq!(Requirements::parse(&xml("<iq type='result'/>")), None);
}
