//! `umap` against others.
