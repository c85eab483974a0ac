//! Files made from a session or a view.

pub mod frame;
