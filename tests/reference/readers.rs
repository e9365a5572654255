//! `readers` against others.
