//! Versions of the crates that the program is built from, out of its own lock file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::sha256;

const MANIFEST: &str = include_str!("../../Cargo.toml");
const LOCK: &str = include_str!("../../Cargo.lock");

#[derive(Deserialize)]
struct Manifest {
    dependencies: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// Name → version of every crate that this one asks for by itself, optional ones apart; several versions are set side by side.
pub fn crate_versions() -> BTreeMap<String, String> {
    let manifest: Manifest = toml::from_str(MANIFEST).expect("the manifest this was built from");
    let lock: Lock = toml::from_str(LOCK).expect("the lock file this was built from");
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for (key, asked) in &manifest.dependencies {
        if asked.get("optional").and_then(toml::Value::as_bool) == Some(true) {
            continue;
        }
        let name = asked.get("package").and_then(toml::Value::as_str).unwrap_or(key);
        let found: Vec<&str> = lock.package.iter().filter(|p| p.name == name).map(|p| p.version.as_str()).collect();
        out.insert(name.into(), found.join(", "));
    }
    out
}

/// SHA-256 of the lock file, which holds the version and the digest of every crate, those of others included.
pub fn lock_sha256() -> String {
    sha256(LOCK.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_asked_for_has_its_version() {
        let versions = crate_versions();
        assert!(versions.len() > 20 && versions.values().all(|v| v.starts_with(|c: char| c.is_ascii_digit())));
        // Two generations of one crate, and none that is optional.
        assert_eq!(versions["ndarray"].split(", ").count(), 2, "{}", versions["ndarray"]);
        assert!(!versions.contains_key("polars") && versions.contains_key("faer"));
        assert_eq!(lock_sha256().len(), 64);
    }
}
