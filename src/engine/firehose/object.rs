//! The bytes of a delivered object: records one behind the other, compressed, or converted to a columnar format.

use crate::engine::formats::coerce::Reader;
use crate::engine::formats::{orc, parquet};
use crate::engine::glue::Glue;
use crate::engine::time::VirtualTime;

use super::config::{Serializer, Settings};
use super::record::{CatalogTable, Failure, conversion_line};
use super::stream::Buffer;

/// An object ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `Content-Encoding`.
    pub encoding: &'static str,
    /// End of its key.
    pub extension: &'static str,
    /// Records in it.
    pub records: u64,
    /// Bytes of these records.
    pub source_bytes: u64,
    /// Lines of records that could not be converted.
    pub failed: Vec<(String, Failure)>,
}

/// Builds the object of a buffer.
///
/// # Errors
/// A schema that cannot be had.
pub fn build(settings: &Settings, glue: &Glue, buffer: &Buffer, now: VirtualTime, (account, region): (&str, &str)) -> Result<Built, Failure> {
    let Some(conversion) = &settings.conversion else {
        let mut bytes = Vec::with_capacity(buffer.bytes as usize);
        for record in &buffer.records {
            bytes.extend_from_slice(&record.data);
        }
        let compression = settings.s3.compression;
        return Ok(Built {
            bytes: compression.pack(bytes, &format!("part-{}", buffer.id)),
            encoding: compression.encoding(),
            extension: compression.extension(),
            records: buffer.records.len() as u64,
            source_bytes: buffer.bytes,
            failed: Vec::new(),
        });
    };
    let columns = glue.schema(&conversion.database, &conversion.table).map_err(|error| {
        Failure::new("DataFormatConversion.EntityNotFound", format!("The specified table/database could not be found. {}", error.message))
    })?;
    let table = CatalogTable {
        catalog: conversion.catalog.clone().unwrap_or_else(|| account.to_owned()),
        database: conversion.database.clone(),
        table: conversion.table.clone(),
        region: if conversion.region.is_empty() { region.to_owned() } else { conversion.region.clone() },
    };
    let reader = Reader::new(columns.clone(), conversion.deserializer.clone());
    let (mut failed, mut records, mut source_bytes) = (Vec::new(), 0, 0);
    let mut convert = |push: &mut dyn FnMut(Vec<crate::engine::formats::datum::Datum>)| {
        for record in &buffer.records {
            match reader.rows(&record.data) {
                Ok(rows) => {
                    records += 1;
                    source_bytes += record.data.len() as u64;
                    rows.into_iter().for_each(&mut *push);
                }
                Err(misfit) => {
                    let failure = Failure::new(misfit.code, misfit.message);
                    failed.push((conversion_line(record, &failure, now, &table), failure));
                }
            }
        }
    };
    let (bytes, extension) = match &conversion.serializer {
        Serializer::Parquet { codec, page_bytes } => {
            let mut writer = parquet::Writer::new(columns, *codec, *page_bytes);
            convert(&mut |row| writer.push(&row));
            (writer.finish(), ".parquet")
        }
        Serializer::Orc { codec, stride } => {
            let mut writer = orc::Writer::new(&columns, *codec, *stride);
            convert(&mut |row| writer.push(row));
            (writer.finish(), ".orc")
        }
    };
    Ok(Built { bytes, encoding: "", extension, records, source_bytes, failed })
}
