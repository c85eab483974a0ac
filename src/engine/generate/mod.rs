//! Under construction.

/// Temporary.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Change {}
/// Temporary.
#[derive(Debug, Clone)]
pub struct Arrivals {}
/// Temporary.
pub struct Slot<'a> { /// x
    pub offsets: &'a [u64] }
impl Arrivals {
    /// t
    pub fn next_slot(&mut self, _f: u32) -> Slot<'_> { Slot { offsets: &[] } }
    /// t
    pub fn seek(&mut self, _o: u64) {}
    /// t
    pub fn index(&self) -> u64 { 0 }
    /// t
    pub fn axis(&self) -> u64 { 0 }
    /// t
    pub fn is_finished(&self) -> bool { false }
    /// t
    pub fn speedup_permille(&self) -> Option<u64> { None }
}
/// Temporary.
#[derive(Debug)]
pub struct Generator {}
impl Generator {
    /// t
    pub fn write(&self, _i: u64, _e: super::time::VirtualTime, _o: &mut Vec<u8>) {}
    /// t
    pub fn partition_key(&self, _i: u64, _d: &[u8], _o: &mut String) {}
    /// t
    pub fn with_change(&self, _c: &Change) -> Result<Self, String> { Ok(Self {}) }
}
