//! What a form holds: `application/x-www-form-urlencoded`, read without ever failing.

/// The fields of a form or of an address, in their order.
#[derive(Debug, Default)]
pub(crate) struct Given {
    fields: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Most fields that are read; no form of ours has more than three.
const MOST_FIELDS: usize = 20;

impl Given {
    /// Reads `name=value&name=value`.
    pub(crate) fn parse(octets: &[u8]) -> Given {
        let pairs = octets.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty());
        let field = |pair: &[u8]| {
            let at = pair.iter().position(|octet| *octet == b'=').unwrap_or(pair.len());
            (unescaped(&pair[..at]), unescaped(pair.get(at + 1..).unwrap_or_default()))
        };
        Given { fields: pairs.take(MOST_FIELDS).map(field).collect() }
    }

    /// The octets of the first field of that name.
    pub(crate) fn octets(&self, name: &str) -> &[u8] {
        let found = self.fields.iter().find(|(field, _)| field == name.as_bytes());
        found.map_or(&[], |(_, value)| value)
    }

    /// The same as text.
    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(self.octets(name)).into_owned()
    }
}

/// `+` is a space and `%41` an octet; what is no escape stands for itself.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|octet| (*octet as char).to_digit(16));
    let (mut octets, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(octet) = text.get(at) {
        match (octet, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                octets.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', ..) => octets.push(b' '),
            _ => octets.push(*octet),
        }
        at += 1;
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_whatever_it_holds() {
        let given = Given::parse(b"text=450+4.2.0%0D%0A%zz%4&q=%C3%A4&q=second&&=x&bare");
        assert_eq!(given.text("text"), "450 4.2.0\r\n%zz%4");
        assert_eq!(given.text("q"), "ä");
        assert_eq!(given.text("bare"), "");
        assert_eq!(given.text("none"), "");
    }
}
