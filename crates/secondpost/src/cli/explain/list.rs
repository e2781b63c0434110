//! Values as JSON while they come: one a line, or one as it is and several as a list.

use std::io::{self, Write};

use serde_json::Value;

use super::lines::write_line;

/// What is written so far. A list looks as if it had been written at once.
pub(super) enum List {
    /// One value a line.
    Lines,
    /// Nothing yet.
    Empty,
    /// One value, which is a list only where another follows.
    One(Value),
    /// The beginning of a list.
    Several,
}

impl List {
    /// One a line, or a list.
    pub(super) const fn of(is_by_line: bool) -> List {
        if is_by_line { List::Lines } else { List::Empty }
    }

    /// Whether nothing was added.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, List::Empty)
    }

    /// Writes one more, or keeps it until it is known whether it is the only one.
    pub(super) fn add(&mut self, value: &Value, out: &mut dyn Write) -> io::Result<()> {
        match self {
            List::Lines => return write_line(out, value),
            List::Empty => *self = List::One(value.clone()),
            List::One(first) => {
                write!(out, "[\n{},\n{}", indented(first)?, indented(value)?)?;
                *self = List::Several;
            }
            List::Several => write!(out, ",\n{}", indented(value)?)?,
        }
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn end(self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            List::Lines => Ok(()),
            List::Empty => writeln!(out, "[]"),
            List::One(value) => writeln!(out, "{}", serde_json::to_string_pretty(&value)?),
            List::Several => writeln!(out, "\n]"),
        }
    }
}

/// A value as it stands in a list; no string of JSON holds a line end.
fn indented(value: &Value) -> io::Result<String> {
    Ok(format!("  {}", serde_json::to_string_pretty(value)?.replace('\n', "\n  ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_that_was_written_as_it_came_is_the_list_written_at_once() {
        let values = [json!({"a": [1, {"b": "x\ny"}], "c": []}), json!(null), json!([])];
        for count in 0..=values.len() {
            let (mut list, mut out) = (List::of(false), Vec::new());
            for value in &values[..count] {
                list.add(value, &mut out).unwrap();
            }
            assert_eq!(list.is_empty(), count == 0);
            list.end(&mut out).unwrap();
            let all = if count == 1 { values[0].clone() } else { json!(values[..count]) };
            let wanted = format!("{}\n", serde_json::to_string_pretty(&all).unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
