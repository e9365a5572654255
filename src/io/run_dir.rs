//! Run directory.
