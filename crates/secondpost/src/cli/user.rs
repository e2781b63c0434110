//! Who calls this program.

/// The name of the user whose process this is: by the environment, else by the system's
/// list of users, else by number.
pub(crate) fn calling() -> String {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name(&|variable| std::env::var(variable).ok(), &users, uid)
}

/// The user who started it: with sudo not root, but who asked for it.
pub(crate) fn invoking() -> String {
    match std::env::var("SUDO_USER") {
        Ok(name) if !name.is_empty() && rustix::process::getuid().is_root() => name,
        _ => calling(),
    }
}

fn name(variable: &dyn Fn(&str) -> Option<String>, users: &str, uid: u32) -> String {
    let named = ["USER", "LOGNAME"].into_iter().filter_map(variable);
    let of_uid = || {
        let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        lines.find(|line| line.get(2) == Some(&uid.to_string().as_str())).map(|line| line[0].into())
    };
    let found = named.into_iter().find(|name| !name.is_empty()).or_else(of_uid);
    found.unwrap_or_else(|| format!("uid{uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_in_every_environment() {
        const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n";
        let check = |environment: &[(&str, &str)], uid, expected: &str| {
            let variable = |name: &str| {
                let found = environment.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(name(&variable, USERS, uid), expected, "{environment:?}");
        };
        check(&[("USER", "bob"), ("LOGNAME", "carol")], 1000, "bob");
        check(&[("USER", ""), ("LOGNAME", "carol")], 1000, "carol");
        check(&[("USER", "")], 1000, "alice");
        check(&[], 0, "root");
        check(&[], 7, "uid7");
    }
}
