//! `qc` against others.
