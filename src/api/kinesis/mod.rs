//! Kinesis Data Streams (`Kinesis_20131202`): requests, answers and the shapes in them.
//!
//! Every request is `<Operation>Request`, every answer with members `<Operation>Response`. Fields carry AWS's member names in snake case
//! and serialise under AWS's names, in AWS's order. Integers are `i32`, longs `i64`, as in AWS's model. The reserved `StreamId` member is
//! validated where it arrives and then dropped.

mod account;
mod consumers;
mod enums;
mod operation;
mod records;
mod shapes;
mod shards;
mod streams;

pub use account::*;
pub use consumers::*;
pub use enums::*;
pub use operation::{KinesisRequest, KinesisResponse, Operation};
pub use records::*;
pub use shapes::*;
pub use shards::*;
pub use streams::*;

#[cfg(test)]
mod tests;
