//! `hvg` against others.
