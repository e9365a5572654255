//! `association` against others.
