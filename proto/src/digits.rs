//! Numbers in decimal. The standard library's way is generic and costs 250 bytes of wasm for each type of number.

/// Appends `number` in decimal.
pub fn push_number(text: &mut String, number: u64) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// `number` in decimal.
pub fn decimal(number: u64) -> String {
    let mut text = String::new();
    push_number(&mut text, number);
    text
}
