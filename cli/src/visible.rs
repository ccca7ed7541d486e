//! What strangers wrote, made visible on a terminal: control characters and characters that change
//! the direction of text could make a line say something else than it does.

/// The text with every character that does not show itself written as an escape.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// As [`visible`], and line ends stay.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// Controls, and what Unicode TR 36 §3.1 and UAX 9 §2 warn of: overrides, isolates and the like.
/// Joiners stay: Persian and Indic scripts need them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_turns_the_line() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(visible_lines("a\nb\rc"), "a\nb\\u{d}c");
    }

    #[test]
    fn honest_text_stays_as_it_is() {
        for text in ["République", "می\u{200c}خواهم", "שלום", "ديوان للترجمة", "ไทย", "🇫🇷"]
        {
            assert_eq!(visible(text), text);
        }
    }
}
