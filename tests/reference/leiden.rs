//! `leiden` against others.
