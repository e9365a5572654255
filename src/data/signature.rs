//! What tells a kind of cell from all others: genes that it shows, and a rule how many of them.

use serde::{Deserialize, Serialize};

/// A signature of a kind of cell, such as a contaminating one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Short name.
    pub name: String,
    /// Which cells it finds.
    pub description: String,
    /// A cell is positive with at least so many of the genes.
    pub at_least: usize,
    /// Genes that count for it.
    pub genes: Vec<SignatureGene>,
    /// Genes that a positive cell must not show; may be empty.
    #[serde(default)]
    pub absent: Vec<AbsentGene>,
    /// Where this is known from.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// A gene of a signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureGene {
    /// Symbol.
    pub symbol: String,
    /// Ensembl id without version; may be empty.
    #[serde(default)]
    pub ensembl: String,
    /// Other symbols, such as earlier ones.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Counts from which on the gene counts, at least 1.
    #[serde(default = "one")]
    pub min_count: u32,
    /// Names of sources.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// A gene that a positive cell must not show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsentGene {
    /// Symbol.
    pub symbol: String,
    /// Ensembl id without version; may be empty.
    #[serde(default)]
    pub ensembl: String,
    /// Other symbols, such as earlier ones.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Most counts that a positive cell may have of it.
    #[serde(default)]
    pub max_count: u32,
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name that genes refer to.
    pub id: String,
    /// Who, when, where, and what was found.
    pub citation: String,
    /// Digital object identifier.
    pub doi: String,
}

fn one() -> u32 {
    1
}

impl Signature {
    /// What is wrong with it, if anything: key and message.
    pub fn fault(&self) -> Option<(String, String)> {
        let wrong = |key: &str, message: String| Some((key.to_string(), message));
        if self.name.trim().is_empty() {
            return wrong("name", "is empty; give the signature a short name".into());
        }
        if self.genes.is_empty() {
            return wrong("genes", "lists no genes; give at least one".into());
        }
        // Tables of positive cells have one column per gene.
        if self.genes.len() + self.absent.len() > 100 {
            return wrong("genes", format!("{} genes; at most 100", self.genes.len() + self.absent.len()));
        }
        if self.at_least == 0 || self.at_least > self.genes.len() {
            let message = format!("is {}; expected from 1 to the number of genes, {}", self.at_least, self.genes.len());
            return wrong("at_least", message);
        }
        if let Some(gene) = self.genes.iter().find(|gene| gene.min_count == 0) {
            return wrong("genes", format!("min_count of {} is 0; every cell has that, give at least 1", gene.symbol));
        }
        let mut names: Vec<&str> = Vec::new();
        let present = self.genes.iter().map(|g| (&g.symbol, &g.ensembl, &g.aliases));
        for (symbol, ensembl, aliases) in present.chain(self.absent.iter().map(|g| (&g.symbol, &g.ensembl, &g.aliases)))
        {
            if symbol.trim().is_empty() {
                return wrong("genes", "a gene has an empty symbol; name it".into());
            }
            for name in [symbol, ensembl].into_iter().chain(aliases).filter(|name| !name.is_empty()) {
                if names.contains(&name.as_str()) {
                    return wrong(
                        "genes",
                        format!("{name} is there twice; a gene may count once, and not be absent as well"),
                    );
                }
                names.push(name);
            }
        }
        let known = |id: &String| self.sources.iter().any(|source| source.id == *id);
        if let Some(id) = self.genes.iter().flat_map(|gene| &gene.sources).find(|id| !known(id)) {
            return wrong("sources", format!("has no source `{id}`, which a gene refers to"));
        }
        None
    }

    /// The rule in words.
    pub fn rule(&self) -> String {
        let name = |gene: &SignatureGene| match gene.min_count {
            1 => gene.symbol.clone(),
            n => format!("{} (≥ {n} counts)", gene.symbol),
        };
        let genes = self.genes.iter().map(name).collect::<Vec<_>>().join(", ");
        let absent: Vec<&str> = self.absent.iter().map(|gene| gene.symbol.as_str()).collect();
        let without = if absent.is_empty() { String::new() } else { format!(", without {}", absent.join(", ")) };
        format!("at least {} of {}: {genes}{without}", self.at_least, self.genes.len())
    }
}
