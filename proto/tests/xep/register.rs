//! XEP-0077.

use epode_proto::error::{CloseReason, RegistrationFailure};
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

fn human(addresses: &[&str], fields: &[&str], instructions: Option<&str>) -> Unanswered {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
    Unanswered::NeedsHuman {
        addresses: owned(addresses),
        fields: owned(fields),
        instructions: instructions.map(Into::into),
    }
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
fn fields_are_read_and_submitted() {
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
fn an_existing_account_shows_its_fields() {
    let wanted = wanted(3);
    assert!(wanted.registered);
    assert_eq!(wanted.fields[0], ("username".into(), "juliet".into()));
    // What is there need not be given again.
    assert!(wanted.answer(None, &with(&[("password", "new")])).is_ok());
}

#[test]
fn the_key_of_old_hosts_is_returned() {
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
fn a_data_form_takes_precedence_over_fields() {
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
fn the_form_of_the_example_is_submitted() {
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
        Err(human(
            &[page],
            &[],
            Some("To register, visit http://www.shakespeare.lit/contests.php")
        ))
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
            Err(human(&["https://example.org/captcha/1"], &["ocr"], None))
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
fn a_host_without_fields_gets_username_and_password() {
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

/// Which addresses are named, in which shape the host may give them.
///
/// Optional in what is read, each absent in a case here or above: `<instructions/>` (of the query, of the form), the fields, the form,
/// `<x xmlns='jabber:x:oob'/>` and its `<url/>`, the fallback's field and its value, `<media/>` and its `<uri/>`s, the type, label,
/// `<required/>` and FORM_TYPE of fields and form, `<registered/>`, `<key/>`.
#[test]
fn the_address_that_a_browser_can_open_is_named() {
    let form = |fields: &str| {
        format!(
            "<x xmlns='jabber:x:data' type='form'><field var='username'><required/></field>
             <field var='password' type='text-private'/>{fields}</x>"
        )
    };
    let cid = "<media xmlns='urn:xmpp:media-element'><uri type='image/png'>cid:sha1+a@bob.xmpp.org</uri></media>";
    let ocr = format!("<field var='ocr'>{cid}<required/></field>");
    let oob = |url: &str| format!("<x xmlns='jabber:x:oob'>{url}</x>");
    let url = |value: &str| format!("<field var='url'><value>{value}</value></field>");
    let page = "https://example.org/captcha/1";
    for (query, addresses) in [
        // A field `url`; without a type, in front of the test or behind it.
        (form(&format!("{}{ocr}", url(page))), vec![page]),
        (form(&format!("{ocr}{}", url(&format!(" {page}\n")))), vec![page]),
        // XEP-0066, beside the form.
        (form(&ocr) + &oob(&format!("<url>{page}</url>")), vec![page]),
        // In the instructions of the query, of the form, in a fixed field.
        (
            format!("<instructions>Go to {page}.</instructions>{}", form(&ocr)),
            vec![page],
        ),
        (
            form(&format!("<instructions>(see &lt;{page}>)</instructions>{ocr}")),
            vec![page],
        ),
        (
            form(&format!("<field type='fixed'><value>Visit {page}, please</value></field>{ocr}")),
            vec![page],
        ),
        // A picture on the web; encrypted ones and pages first.
        (
            form("<field var='ocr'><media xmlns='urn:xmpp:media-element'><uri>http://e.org/1.png</uri><uri>HTTPS://e.org/1.png</uri>
                  <uri>cid:a@bob.xmpp.org</uri></media></field>"),
            vec!["HTTPS://e.org/1.png", "http://e.org/1.png"],
        ),
        (
            form(&format!("{}{ocr}", url("http://e.org/c"))) + &oob(&format!("<url>{page}</url><desc>x</desc>")),
            vec![page, "http://e.org/c"],
        ),
        // Only inside the stanza; the fallback empty, no address, or one that a browser must not open.
        (form(&ocr), vec!["cid:sha1+a@bob.xmpp.org"]),
        (form(&format!("<field var='url'/>{ocr}")), vec!["cid:sha1+a@bob.xmpp.org"]),
        (form(&format!("{}{ocr}", url("see your mail"))) + &oob(""), vec!["cid:sha1+a@bob.xmpp.org"]),
        (
            form(&format!("{}{ocr}", url("javascript:alert(1)"))) + &oob("<url>javascript:alert(1)</url>"),
            vec!["cid:sha1+a@bob.xmpp.org"],
        ),
        // No address at all.
        (form("<field var='ocr'><required/></field>"), vec![]),
        (
            form("<field var='ocr'><media xmlns='urn:xmpp:media-element'/><required/></field>"),
            vec![],
        ),
    ] {
        let answer = reply(&query).answer(None, &with(&[("username", "bill"), ("password", "x")]));
        let Err(Unanswered::NeedsHuman {
            addresses: named,
            fields,
            ..
        }) = answer
        else {
            panic!("{answer:?}: {query}");
        };
        assert_eq!((named, fields), (addresses.iter().map(|&one| one.into()).collect(), vec!["ocr".to_owned()]), "{query}");
    }
}

#[test]
fn only_a_page_will_do() {
    let page = "https://example.org/register";
    for query in [
        format!("<instructions>Register at {page}</instructions>"),
        format!("<x xmlns='jabber:x:data'><instructions>At {page}!</instructions></x>"),
        format!(
            "<x xmlns='jabber:x:data'><field type='hidden' var='FORM_TYPE'><value>a</value></field>
                 <field var='url'><value>{page}</value></field></x>"
        ),
        format!("<x xmlns='jabber:x:data'/><x xmlns='jabber:x:oob'><url>{page}</url></x>"),
    ] {
        let answer = reply(&query).answer(None, &with(&[("username", "bill"), ("password", "x")]));
        let Err(Unanswered::NeedsHuman {
            addresses, fields, ..
        }) = answer
        else {
            panic!("{answer:?}: {query}");
        };
        assert_eq!(
            (addresses, fields),
            (vec![page.to_owned()], vec![]),
            "{query}"
        );
    }
    // A host that names a page beside its fields can be answered.
    let both = format!("<instructions>Terms: {page}</instructions><username/><password/>");
    assert!(
        reply(&both)
            .answer(None, &with(&[("username", "b"), ("password", "c")]))
            .is_ok()
    );
}

#[test]
fn the_error_names_the_address_and_the_alternatives() {
    let said = |query: &str| {
        let answer = reply(query).answer(None, &with(&[("username", "bill"), ("password", "x")]));
        let unanswered = answer.expect_err("an error");
        let reason = CloseReason::Registration(RegistrationFailure::Unanswered(unanswered));
        let detail = reason.detail().expect("a detail").into_owned();
        let text = reason.text().map(str::to_owned);
        (reason.sentence(), detail, text)
    };
    let test = "<x xmlns='jabber:x:data'><field var='ocr'><required/></field>ELSE</x>";
    assert_eq!(
        said(&test.replace("ELSE", "<instructions>Look!</instructions>")),
        (
            "person-or-answer-wanted",
            String::new(),
            Some("Look!".to_owned())
        )
    );
    let cid =
        "<field var='a'><media xmlns='urn:xmpp:media-element'><uri>cid:x</uri></media></field>";
    assert_eq!(
        said(&test.replace("ELSE", cid)),
        ("person-or-answer-wanted", "cid:x".to_owned(), None)
    );
    let (sentence, detail, _) = said("<instructions>https://e.org/</instructions>");
    assert_eq!(
        (sentence, detail.as_str()),
        ("person-wanted", "https://e.org/")
    );
    let (sentence, detail, _) = said("<username/><password/><email/><city/>");
    assert_eq!(
        (sentence, detail.as_str()),
        ("fields-missing", "email, city")
    );
}
