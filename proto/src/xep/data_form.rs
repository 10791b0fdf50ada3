//! XEP-0004: Data Forms 2.13. Parses forms and results, and builds submissions.
//!
//! Specification: XEP-0004 2.13.1.
//!
//! Left out: validation (XEP-0122) and layout (XEP-0141); the service that sent the form validates the values.

use crate::ns;
use crate::xml::Element;

/// Values by the field's `var`; several values for a field that accepts several.
pub type Values = [(String, Vec<String>)];

/// The type of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// A form to be filled in.
    Form,
    /// A submission.
    Submit,
    /// A cancellation.
    Cancel,
    /// Returned data.
    Result,
}

/// A field of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// The field's name; only a `fixed` field may have none.
    pub var: Option<String>,
    /// The field's type as received (`text-single`, `list-multi`, `hidden`, …); absent means `text-single`.
    pub kind: Option<String>,
    /// The label for a user interface.
    pub label: Option<String>,
    /// A longer description.
    pub description: Option<String>,
    /// Whether the field is required.
    pub required: bool,
    /// The field's values; in a form, the defaults.
    pub values: Vec<String>,
    /// The choices of the list types: label and value.
    pub options: Vec<(Option<String>, String)>,
    /// The addresses of media shown with the field (XEP-0221), such as the picture of a CAPTCHA.
    pub media: Vec<String>,
}

impl Field {
    fn parse(element: &Element) -> Self {
        let mut field = Self {
            var: owned(element.attr("var")),
            kind: owned(element.attr("type")),
            label: owned(element.attr("label")),
            ..Self::default()
        };
        for child in element.children() {
            match (child.name(), child.ns()) {
                ("value", ns::DATA_FORM) => field.values.push(child.text().into_owned()),
                ("required", ns::DATA_FORM) => field.required = true,
                ("desc", ns::DATA_FORM) => field.description = Some(child.text().into_owned()),
                ("option", ns::DATA_FORM) => {
                    if let Some(value) = child.child_text("value", ns::DATA_FORM) {
                        field.options.push((owned(child.attr("label")), value));
                    }
                }
                ("media", ns::MEDIA) => {
                    let mut addresses =
                        child.read_children("uri", ns::MEDIA, Element::trimmed_text);
                    field.media.append(&mut addresses);
                }
                _ => {}
            }
        }
        field
    }

    /// The field's first value.
    pub fn value(&self) -> Option<&str> {
        self.values.first().map(String::as_str)
    }

    /// Whether the field has this type.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.as_deref().unwrap_or("text-single") == kind
    }
}

/// A form, a submission or a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The form's type.
    pub kind: FormKind,
    /// The title.
    pub title: Option<String>,
    /// The instructions; several paragraphs are joined by line feeds.
    pub instructions: Option<String>,
    /// The fields in order, including `FORM_TYPE`.
    pub fields: Vec<Field>,
    /// The columns of a result with several rows.
    pub reported: Vec<Field>,
    /// The rows of a result with several rows.
    pub items: Vec<Vec<Field>>,
}

impl Form {
    /// Parses `<x xmlns='jabber:x:data'/>`; `None` for any other element.
    pub fn parse(x: &Element) -> Option<Self> {
        if !x.is("x", ns::DATA_FORM) {
            return None;
        }
        let mut form = Self {
            kind: match x.attr("type") {
                Some("submit") => FormKind::Submit,
                Some("cancel") => FormKind::Cancel,
                Some("result") => FormKind::Result,
                _ => FormKind::Form,
            },
            title: None,
            instructions: None,
            fields: Vec::new(),
            reported: Vec::new(),
            items: Vec::new(),
        };
        for child in x.children() {
            if child.ns() != ns::DATA_FORM {
                continue;
            }
            match child.name() {
                "title" => form.title = Some(child.text().into_owned()),
                "instructions" => match &mut form.instructions {
                    Some(text) => {
                        text.push('\n');
                        text.push_str(&child.text());
                    }
                    none => *none = Some(child.text().into_owned()),
                },
                "field" => form.fields.push(Field::parse(&child)),
                "reported" => form.reported = fields(&child),
                "item" => form.items.push(fields(&child)),
                _ => {}
            }
        }
        Some(form)
    }

    /// The first form among an element's children.
    pub fn child_of(element: &Element) -> Option<Self> {
        Self::parse(&element.child("x", ns::DATA_FORM)?)
    }

    /// The field of that name.
    pub fn field(&self, var: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.var.as_deref() == Some(var))
    }

    /// The first value of the field of that name.
    pub fn value(&self, var: &str) -> Option<&str> {
        self.field(var)?.value()
    }

    /// The value of `FORM_TYPE` (XEP-0068).
    pub fn form_type(&self) -> Option<&str> {
        self.value("FORM_TYPE")
    }

    /// Fills in this form. Fields not named in `values` keep their defaults; values without a field are not sent.
    ///
    /// # Errors
    /// The names of the required fields that are still empty.
    pub fn answer(&self, values: &Values) -> Result<Element, Vec<String>> {
        let mut missing = Vec::new();
        let mut x = Element::builder("x", ns::DATA_FORM).attr("type", "submit");
        for field in &self.fields {
            let Some(var) = field.var.as_deref() else {
                continue;
            };
            if field.is("fixed") {
                continue;
            }
            let given = values.iter().find(|(name, _)| name == var);
            let values = given.map_or(&field.values, |(_, values)| values);
            if field.required && values.iter().all(String::is_empty) {
                missing.push(var.into());
            }
            if values.is_empty() {
                continue;
            }
            x = x.child(filled(var, field.kind.as_deref(), values));
        }
        if missing.is_empty() {
            Ok(x.build())
        } else {
            Err(missing)
        }
    }
}

/// A submission without a form to answer: `FORM_TYPE` first, then the values.
pub fn submit(form_type: &str, values: &Values) -> Element {
    let about = [form_type.into()];
    Element::builder("x", ns::DATA_FORM)
        .attr("type", "submit")
        .child(filled("FORM_TYPE", Some("hidden"), &about))
        .children(values.iter().map(|(var, values)| filled(var, None, values)))
        .build()
}

fn filled(var: &str, kind: Option<&str>, values: &[String]) -> Element {
    Element::builder("field", ns::DATA_FORM)
        .attr_opt("type", kind)
        .attr("var", var)
        .children(
            values
                .iter()
                .map(|value| Element::builder("value", ns::DATA_FORM).text(value).build()),
        )
        .build()
}

fn fields(element: &Element) -> Vec<Field> {
    element.read_children("field", ns::DATA_FORM, Field::parse)
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(Into::into)
}
