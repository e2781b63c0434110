//! What a session still takes by the limits that its server names (RFC 9422), and which
//! recipients make the next transaction.

use std::collections::BTreeSet;

use ::smtp::client::Capabilities;
use ::smtp::syntax::ForwardPath;

/// Most recipients in a transaction where the server names no limit: what every server
/// must take (RFC 5321 §4.5.3.1.8).
const RECIPIENTS: usize = 100;

/// What a session has had.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    transactions: usize,
    domains: BTreeSet<String>,
}

impl Allowance {
    /// The recipients that go into the next transaction, by their places in `waiting`.
    /// None of some that wait: the session has had all that it may, and a new one takes
    /// them.
    pub(super) fn next(&mut self, offered: &Capabilities, waiting: &[&ForwardPath]) -> Vec<usize> {
        if self.transactions >= offered.max_transactions().unwrap_or(usize::MAX) {
            return Vec::new();
        }
        let most = offered.max_recipients().unwrap_or(RECIPIENTS);
        let fits = |(at, path): (usize, &&ForwardPath)| {
            let alike = offered.smtputf8() || path.is_ascii() == waiting[0].is_ascii();
            (alike && self.takes_domain(offered, path)).then_some(at)
        };
        let some: Vec<usize> = waiting.iter().enumerate().filter_map(fits).take(most).collect();
        self.transactions += usize::from(!some.is_empty());
        some
    }

    fn takes_domain(&mut self, offered: &Capabilities, path: &ForwardPath) -> bool {
        let Some(most) = offered.max_domains() else { return true };
        let domain = path.mailbox().map(|mailbox| mailbox.domain.as_str().to_lowercase());
        let domain = domain.unwrap_or_default();
        if !self.domains.contains(&domain) && self.domains.len() >= most {
            return false;
        }
        self.domains.insert(domain);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reply::Reply;

    fn offered(lines: &[&str]) -> Capabilities {
        let lines: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        let wire = format!("250-peer.test\r\n{lines}250 PIPELINING\r\n");
        Capabilities::from_reply(&Reply::parse(wire.as_bytes()).unwrap())
    }

    /// The transactions of one session, in the order of the recipients.
    fn check(lines: &[&str], recipients: &[&str], expected: &[&[&str]]) {
        let offered = offered(lines);
        let paths: Vec<ForwardPath> =
            recipients.iter().map(|to| ForwardPath::Mailbox(to.parse().unwrap())).collect();
        let mut waiting: Vec<&ForwardPath> = paths.iter().collect();
        let (mut allowance, mut transactions) = (Allowance::default(), Vec::new());
        while !waiting.is_empty() {
            let some = allowance.next(&offered, &waiting);
            if some.is_empty() {
                break;
            }
            transactions.push(some.iter().map(|at| waiting[*at].to_string()).collect::<Vec<_>>());
            let mut at = 0..;
            waiting.retain(|_| at.next().is_some_and(|at| !some.contains(&at)));
        }
        assert_eq!(transactions, expected, "{lines:?}");
    }

    #[test]
    fn the_limits_that_a_server_names_are_kept() {
        rfc!(9422, "3");
        let three = ["a@x.test", "b@y.test", "c@X.test"];
        check(&[], &three, &[&three]);
        check(&["LIMITS RCPTMAX=2"], &three, &[&["a@x.test", "b@y.test"], &["c@X.test"]]);
        check(&["LIMITS RCPTMAX=1 MAILMAX=2"], &three, &[&["a@x.test"], &["b@y.test"]]);
        check(&["LIMITS RCPTDOMAINMAX=1"], &three, &[&["a@x.test", "c@X.test"]]);
        check(&["LIMITS RCPTMAX=0 MAILMAX=x"], &three, &[&three]);
    }

    #[test]
    fn an_address_beyond_ascii_does_not_keep_its_neighbours_from_a_server_without_smtputf8() {
        rfc!(6531, "3.4");
        let mixed = ["a@x.test", "b\u{fc}@x.test", "c@x.test"];
        check(&["SMTPUTF8"], &mixed, &[&mixed]);
        check(&[], &mixed, &[&["a@x.test", "c@x.test"], &["b\u{fc}@x.test"]]);
    }
}
