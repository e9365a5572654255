//! `neighbors` against others.
