//! `effects` against others.
