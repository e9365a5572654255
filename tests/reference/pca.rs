//! `pca` against others.
