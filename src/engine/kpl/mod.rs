//! Under construction.
/// Temporary.
pub fn user_record_count(_data: &[u8]) -> u64 { 1 }
/// Temporary.
#[derive(Default)]
pub struct Aggregator { out: Vec<u8> }
impl Aggregator {
    /// Temporary.
    pub fn push(&mut self, _key: &str, _explicit: Option<&str>, data: &[u8]) { self.out.extend_from_slice(data); }
    /// Temporary.
    pub fn finish(self) -> Vec<u8> { self.out }
}
/// Exact size of an aggregate while it grows.
#[derive(Debug, Clone, Copy, Default)]
pub struct AggregateSize { n: u64 }
impl AggregateSize {
    /// t
    pub fn with(mut self, _hash: super::kinesis::hash::HashKey, key_len: u64, data_len: u64) -> Self { self.n += key_len + data_len; self }
    /// t
    pub fn bytes(&self) -> u64 { self.n }
}
