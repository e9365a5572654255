//! `cell_cycle` against others.
