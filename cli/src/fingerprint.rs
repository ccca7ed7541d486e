//! Fingerprints for people: two officers read them to each other before a partner is recognised.

use chancery_schema::digest::Digest;

/// Sixteen groups of four digits, eight to a line, each line after `indent`.
#[must_use]
pub fn spoken(fingerprint: &Digest, indent: &str) -> String {
    let digits = fingerprint.to_string();
    let groups: Vec<_> = digits.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    let lines: Vec<String> = groups.chunks(8).map(|line| format!("{indent}{}", line.join(" "))).collect();
    lines.join("\n")
}

/// Reads a fingerprint as people write it: with spaces between groups, or dashes, in either case.
#[must_use]
pub fn read(text: &str) -> Option<Digest> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && !"-:".contains(*c)).collect();
    digits.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_aloud_is_read_back() {
        let fingerprint = Digest::of(b"charter");
        let text = spoken(&fingerprint, "  ");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.starts_with("  ") && line.split_whitespace().count() == 8), "{text}");
        assert_eq!(read(&text), Some(fingerprint));
        assert_eq!(read(&text.to_uppercase()), Some(fingerprint));
        assert_eq!(read("dead beef"), None);
    }
}
