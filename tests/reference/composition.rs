//! `composition` against others.
