//! Parts that may be absent.
