//! Groups of genes known by their symbols: mitochondrial and ribosomal.

/// Encoded by the mitochondrial genome: human `MT-…`, mouse `mt-…`.
pub(crate) fn is_mitochondrial(symbol: &str) -> bool {
    symbol.starts_with("MT-") || symbol.starts_with("mt-")
}

/// Protein of the cytosolic ribosome: human `RPS…`, `RPL…`, mouse `Rps…`, `Rpl…`.
///
/// By prefix, as everybody does it. So it takes in the kinases `RPS6KA1` and the like, which are too few to matter.
pub(crate) fn is_ribosomal(symbol: &str) -> bool {
    ["RPS", "RPL", "Rps", "Rpl"].iter().any(|prefix| symbol.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_go_by_prefix() {
        assert!(is_mitochondrial("MT-CO1") && is_mitochondrial("mt-Co1"));
        assert!(!is_mitochondrial("MTOR") && !is_mitochondrial("Mt1"));
        assert!(is_ribosomal("RPL3") && is_ribosomal("Rps27a"));
        assert!(!is_ribosomal("MRPL3") && !is_ribosomal("RP11-34P13.3"));
    }
}
