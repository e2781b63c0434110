//! A text with what differs from one message to the next left out, so that one verdict
//! serves all: addresses, IP addresses, queue ids, long numbers. Short numbers stay: they
//! are codes, and times to wait.

/// Shortest run of letters and digits that is an id where it has both.
const ID_OCTETS: usize = 9;
/// Shortest number that is no code and no time to wait.
const LONG_NUMBER_OCTETS: usize = 6;

/// What an octet is in a run.
const NONE: u8 = 0;
const WORD: u8 = 1;
const DIGIT: u8 = 2;
const DOT: u8 = 4;
const AT: u8 = 8;

const KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [NONE; 256];
    let mut octet = 0u8;
    while octet < 128 {
        kinds[octet as usize] = match octet {
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            b'@' => AT,
            b'_' | b'-' | b'+' | b'=' | b'a'..=b'z' | b'A'..=b'Z' => WORD,
            _ => NONE,
        };
        octet += 1;
    }
    kinds
}

/// Writes `text` to `masked`.
pub(super) fn mask(text: &str, masked: &mut Vec<u8>) {
    masked.clear();
    let octets = text.as_bytes();
    let mut at = host_octets(text);
    while at < octets.len() {
        let start = at;
        let mut kinds = NONE;
        while let Some(octet) = octets.get(at)
            && KINDS[*octet as usize] != NONE
        {
            kinds |= KINDS[*octet as usize];
            at += 1;
        }
        push_run(&octets[start..at], kinds, masked);
        let between = octets[at..].iter().take_while(|octet| KINDS[**octet as usize] == NONE);
        let end = at + between.count();
        masked.extend_from_slice(&octets[at..end]);
        at = end;
    }
}

/// How many octets name the host, in Postfix's words before what it said.
fn host_octets(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("host ").or_else(|| text.strip_prefix("connect to ")) else {
        return 0;
    };
    let kind = text.len() - rest.len();
    rest.find(['[', ' ']).map_or(0, |end| kind + end)
}

/// A run without a space: an address, a number, an id, a word. `kinds` are those in it.
fn push_run(run: &[u8], kinds: u8, masked: &mut Vec<u8>) {
    if kinds & AT != 0 {
        return masked.push(b'@');
    }
    if kinds & DIGIT == 0 {
        return masked.extend_from_slice(run);
    }
    if kinds == DIGIT | DOT && run.iter().filter(|octet| **octet == b'.').count() == 3 {
        return masked.push(b'4');
    }
    for part in run.split(|octet| matches!(octet, b'.' | b'-' | b'_')) {
        push_part(part, masked);
        masked.push(b'.');
    }
}

fn push_part(part: &[u8], masked: &mut Vec<u8>) {
    let digits = part.iter().filter(|octet| octet.is_ascii_digit()).count();
    let is_id = part.len() >= ID_OCTETS && digits >= 2 && digits < part.len();
    let is_long_number = digits == part.len() && digits >= LONG_NUMBER_OCTETS;
    match part {
        _ if is_id || is_long_number => masked.push(b'#'),
        _ => masked.extend_from_slice(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut out = Vec::new();
        mask(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_differs_between_messages_is_left_out() {
        let one = "host mx1.example.net[192.0.2.7] said: 550 5.1.1 <bob@example.net> unknown q16si3475662wrs.311 - gsmtp";
        let two = "host mx2.example.net[192.0.2.99] said: 550 5.1.1 <al@example.net> unknown z99si1175662abc.311 - gsmtp";
        assert_eq!(masked(one), masked(two));
    }

    #[test]
    fn codes_and_times_to_wait_stay() {
        for (one, two) in [
            ("550 5.1.1 no", "550 5.7.1 no"),
            ("try again in 300 seconds", "try again in 600 seconds"),
            ("S3140", "S3150"),
            ("AUP#1310", "AUP#1320"),
            ("(TSS04)", "(TSS09)"),
        ] {
            assert_ne!(masked(one), masked(two));
        }
    }
}
