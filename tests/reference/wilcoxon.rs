//! `wilcoxon` against others.
