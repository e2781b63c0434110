//! That the crate `reply` runs wherever Rust does: nothing in C under it, and it builds for
//! wasm32, where there is neither a file nor a thread nor a clock.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, Package, PackageId};

const CRATE: &str = "secondpost-reply";
const TARGET: &str = "wasm32-unknown-unknown";
/// Crates that compile or find C libraries while others are built.
const C_TOOLS: &[&str] = &["cc", "cmake", "bindgen", "pkg-config", "vcpkg", "autotools"];

/// What is not as it should be, a line each; says what could not be checked.
pub(crate) fn run(root: &Path) -> Result<Vec<String>, String> {
    let mut found = c_code(root)?;
    if is_installed() {
        found.extend(build(root)?);
    } else {
        eprintln!("skipped: {CRATE} for {TARGET}, which `rustup target add {TARGET}` installs");
    }
    Ok(found)
}

/// Packages under the crate that hold or call for C code.
fn c_code(root: &Path) -> Result<Vec<String>, String> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), TARGET.to_owned()])
        .exec()
        .map_err(|error| format!("error: cargo metadata: {error}"))?;
    let under = packages_under(CRATE, &metadata);
    if under.len() < 2 {
        return Err(format!("error: cargo metadata shows nothing under {CRATE}"));
    }
    let of_c = under.iter().filter(|package| is_c(&package.name, package.links.as_deref()));
    Ok(of_c.map(|package| format!("{CRATE}: {} brings C code", package.name)).collect())
}

fn is_c(name: &str, links: Option<&str>) -> bool {
    C_TOOLS.contains(&name) || name.ends_with("-sys") || links.is_some()
}

/// The crate and all that its build needs, tests left out.
fn packages_under<'a>(name: &str, metadata: &'a Metadata) -> Vec<&'a Package> {
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let first = metadata.packages.iter().find(|package| *package.name == name);
    let mut left: VecDeque<&PackageId> = first.map(|package| &package.id).into_iter().collect();
    let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
    while let Some(id) = left.pop_front() {
        if seen.insert(id)
            && let Some(node) = nodes.iter().find(|node| node.id == *id)
        {
            left.extend(needed_by(node));
        }
    }
    metadata.packages.iter().filter(|package| seen.contains(&package.id)).collect()
}

fn needed_by(node: &Node) -> impl Iterator<Item = &PackageId> {
    let is_needed = |kind: DependencyKind| kind != DependencyKind::Development;
    let needed =
        node.deps.iter().filter(move |dep| dep.dep_kinds.iter().any(|dep| is_needed(dep.kind)));
    needed.map(|dep| &dep.pkg)
}

fn is_installed() -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    sysroot.is_ok_and(|output| {
        let sysroot = String::from_utf8_lossy(&output.stdout);
        Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir()
    })
}

fn build(root: &Path) -> Result<Option<String>, String> {
    let status = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--package", CRATE, "--target", TARGET])
        .current_dir(root)
        .status()
        .map_err(|error| format!("error: cannot run cargo: {error}"))?;
    Ok((!status.success()).then(|| format!("{CRATE}: does not build for {TARGET}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brings_c_code_is_told_by_its_name_or_by_what_it_links() {
        for (name, links) in [("cc", None), ("zstd-sys", None), ("ring", Some("ring_core"))] {
            assert!(is_c(name, links), "{name}");
        }
        assert!(!is_c("memchr", None) && !is_c("system-configuration", None));
    }

    #[test]
    fn the_server_needs_more_than_the_knowledge() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).exec().unwrap();
        let names = |of| -> Vec<String> {
            packages_under(of, &metadata).iter().map(|one| one.name.to_string()).collect()
        };
        let (knowledge, server) = (names(CRATE), names("secondpost"));
        assert!(knowledge.iter().any(|name| name == "memchr"), "{knowledge:?}");
        assert!(!knowledge.iter().any(|name| name == "proptest"), "a test's crate is none of it");
        assert!(knowledge.iter().all(|name| server.contains(name)));
        assert!(server.iter().any(|name| name == "tokio"));
    }
}
