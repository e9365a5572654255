//! `cqa params`

use super::Outcome;

/// Every parameter with default and meaning, as TOML.
pub const TEXT: &str = include_str!("params.toml");

/// Prints the commented parameters file.
pub fn params() -> Outcome {
    print!("{TEXT}");
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cqa::pipeline::Params;

    #[test]
    fn the_commented_file_holds_every_parameter_at_its_default() {
        let parsed: Params = toml::from_str(TEXT).unwrap();
        assert_eq!(parsed, Params::default());
        let written: toml::Table = toml::from_str(TEXT).unwrap();
        let all = toml::Table::try_from(Params::default()).unwrap();
        for (section, keys) in &all {
            let here = written.get(section).unwrap_or_else(|| panic!("params.toml lacks {section}"));
            for key in keys.as_table().into_iter().flat_map(toml::Table::keys) {
                assert!(here.get(key).is_some(), "params.toml lacks {section}.{key}");
            }
        }
    }
}
