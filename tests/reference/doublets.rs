//! `doublets` against others.
