//! Which hosts follow from which records, and each way of having none. DNS is a table.
//! The order among equals is decided by a seed.

use super::*;
use crate::resolver::StaticTable;

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn ourselves() -> Ourselves {
    let names = vec!["mail.example.org".to_owned()];
    Ourselves { names, addresses: vec![address(1)], loopback_is_another: false }
}

fn hosts(table: &StaticTable, domain: &str) -> Result<Vec<String>, NoHost> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(hosts_of(table, domain, &ourselves(), 7))?;
    Ok(found.into_iter().map(|host| host.name).collect())
}

fn mx_table() -> StaticTable {
    StaticTable::new()
        .with_mx("example.net", 20, "b.example.net")
        .with_mx("example.net", 10, "a.example.net")
        .with_mx("example.net", 30, "c.example.net")
        .with_address("a.example.net", address(10))
        .with_address("b.example.net", address(11))
        .with_address("example.net", address(99))
}

#[test]
fn hosts_are_tried_by_preference_and_dead_names_are_passed_over() {
    rfc!(5321, "5.1");
    assert_eq!(hosts(&mx_table(), "EXAMPLE.net").unwrap(), ["a.example.net", "b.example.net"]);
}

#[test]
fn a_domain_without_mx_is_its_own_host() {
    rfc!(5321, "5.1");
    let table = StaticTable::new().with_address("example.com", address(9));
    assert_eq!(hosts(&table, "example.com").unwrap(), ["example.com"]);
}

#[test]
fn each_way_of_having_no_host_is_told_apart() {
    rfc!(5321, "5.1");
    rfc!(7505, "3");
    let failed = ResolveError::Failed("SERVFAIL".to_owned());
    let table = mx_table()
        .with_mx("null.test", 0, "")
        .with_mx("nowhere.test", 10, "gone.test")
        .with_mx("unsure.test", 10, "gone.test")
        .with_mx("unsure.test", 20, "slow.test")
        .with_mx("us.test", 10, "MAIL.example.org")
        .with_mx("us.test", 20, "a.example.net")
        .with_mx("alias.test", 10, "alias.example.org")
        .with_address("alias.example.org", address(1))
        .with_mx("local.test", 10, "loop.test")
        .with_address("loop.test", IpAddr::from([127, 0, 0, 1]))
        .with_failure("slow.test", ResolveError::TimedOut)
        .with_failure("broken.test", failed.clone());
    let check = |domain: &str, expected: NoHost, cause, permanence| {
        assert_eq!(hosts(&table, domain), Err(expected.clone()), "{domain}");
        let verdict = expected.verdict();
        assert_eq!((verdict.cause, verdict.permanence), (cause, permanence), "{domain}");
    };
    use Permanence::{Permanent, Transient};
    check("unknown.test", NoHost::NotFound, Cause::DomainNotFound, Permanent);
    check("null.test", NoHost::NullMx, Cause::DomainTakesNoMail, Permanent);
    check("nowhere.test", NoHost::NoAddress, Cause::RouteUnusable, Permanent);
    let late = NoHost::Unresolved(ResolveError::TimedOut);
    check("unsure.test", late, Cause::DnsFailed, Transient);
    check("broken.test", NoHost::Unresolved(failed), Cause::DnsFailed, Transient);
    for domain in ["us.test", "alias.test", "local.test"] {
        check(domain, NoHost::Ourselves, Cause::RouteUnusable, Permanent);
    }
}

#[test]
fn hosts_less_preferred_than_ourselves_are_left_out() {
    rfc!(5321, "5.1");
    let table = mx_table().with_mx("example.net", 15, "mail.example.org");
    assert_eq!(hosts(&table, "example.net").unwrap(), ["a.example.net"]);
}

#[test]
fn equals_come_in_an_order_that_the_seed_decides() {
    rfc!(5321, "5.1");
    let records = || -> Vec<Mx> {
        let host = |n: u8| Mx { preference: 10, host: format!("h{n}.example.net") };
        (0..5).map(host).collect()
    };
    let order = |seed| in_order(records(), &ourselves(), seed).unwrap();
    assert_eq!(order(1), order(1));
    let orders: std::collections::HashSet<Vec<String>> = (0..50).map(order).collect();
    assert!(orders.len() > 20);
}
