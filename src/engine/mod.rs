//! The simulated services on one virtual clock. Knows nothing of files, sockets, terminals or wall clocks.

pub mod agent;
pub mod consumers;
pub mod generate;
pub mod kinesis;
pub mod kpl;
pub mod limits;
pub mod producers;
pub mod random;
pub mod time;
pub mod view;
