//! Analysis → page.
