//! Signature files: TOML that names the genes of a kind of cell, and the bundled ones.

use std::path::{Path, PathBuf};

use crate::data::Signature;
use crate::error::{Error, Result};
use crate::io::run_dir::read_toml;

/// Signatures that come with the program.
const BUNDLED: [(&str, &str); 1] =
    [("residual_pluripotent", include_str!("../../data/signatures/residual_pluripotent.toml"))];

/// A signature by the name of a bundled one, or from a file; also the file, for hashing.
///
/// # Errors
/// - neither a bundled signature nor a file has this name
/// - the file is not a signature, or contradicts itself
pub fn read_signature(name: &Path) -> Result<(Signature, Option<PathBuf>)> {
    if let Some((_, text)) = BUNDLED.iter().find(|(bundled, _)| Path::new(bundled) == name) {
        return Ok((toml::from_str(text).expect("a bundled signature is whole"), None));
    }
    if !name.exists() {
        let names: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
        let message = format!("is neither a file nor a bundled signature ({})", names.join(", "));
        return Err(Error::format(name, "", message));
    }
    let signature: Signature = read_toml(name)?;
    match signature.fault() {
        Some((key, message)) => Err(Error::format(name, key, message)),
        None => Ok((signature, Some(name.into()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_signatures_are_whole_and_every_gene_has_a_source() {
        for (name, _) in BUNDLED {
            let (signature, file) = read_signature(Path::new(name)).unwrap();
            assert_eq!((signature.fault(), signature.name.as_str(), file), (None, name, None));
            assert!(signature.genes.iter().all(|gene| !gene.sources.is_empty() && gene.ensembl.starts_with("ENSG")));
            assert!(signature.sources.iter().all(|source| source.doi.starts_with("10.")));
            assert!(signature.genes.iter().all(|gene| gene.symbol != "SFRP2"), "stromal cells have it");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        let head = "name = \"x\"\ndescription = \"y\"\n";
        for (text, words) in [
            (format!("{head}at_least = 1\ngenes = []\n"), "lists no genes"),
            (format!("{head}at_least = 2\n[[genes]]\nsymbol = \"A\"\n"), "from 1 to the number of genes, 1"),
            (format!("{head}at_least = 1\n[[genes]]\nsymbol = \"A\"\nmin_count = 0\n"), "min_count of A is 0"),
            (
                format!("{head}at_least = 1\n[[genes]]\nsymbol = \"A\"\n[[absent]]\nsymbol = \"A\"\n"),
                "A is there twice",
            ),
            (format!("{head}at_least = 1\n[[genes]]\nsymbol = \"A\"\nsources = [\"s\"]\n"), "no source `s`"),
            (format!("{head}at_least = 1\n[[genes]]\nsymbl = \"A\"\n"), "line 5"),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = read_signature(&path).unwrap_err().to_string();
            assert!(message.contains("s.toml") && message.contains(words), "{message}");
        }
        let message = read_signature(Path::new("no_such")).unwrap_err().to_string();
        assert!(message.contains("residual_pluripotent"), "{message}");
    }
}
