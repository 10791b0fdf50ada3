//! Numbers in decimal.

/// Appends `number` in decimal.
pub fn push_number(text: &mut String, number: u64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// `number` in decimal.
pub fn decimal(number: u64) -> String {
    itoa::Buffer::new().format(number).to_owned()
}
