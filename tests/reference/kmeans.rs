//! `kmeans` against others.
