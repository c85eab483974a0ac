//! Files as deliveries write them: JSON records to typed columns, Parquet, ORC, compression. Pure functions of bytes.

pub mod coerce;
pub mod compress;
pub mod datum;
pub mod orc;
pub mod parquet;
pub mod scan;
pub mod schema;
