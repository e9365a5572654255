//! `harmony` against others.
