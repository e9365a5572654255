//! `pseudobulk` against others.
