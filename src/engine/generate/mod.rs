//! Record generators, arrival processes, durations: data of the labs, made again at will.
//!
//! [`Generator::write`] is a pure function of (generator version, record index, event time): the store keeps only that and makes the bytes
//! again when somebody reads them. [`Arrivals`] says when records come.

pub mod duration;
mod error;
mod expr;
mod make;
pub mod number;
mod rate;
mod spec;
mod template;
mod value;
mod words;

use std::cell::RefCell;

use crate::engine::random::{Substream, below};
use crate::engine::time::{VirtualTime, parse_iso};

pub use error::{GenerateError, near_miss};
pub use make::Files;
pub use rate::{Arrivals, ArrivalsKind, RateSpec, Slot};
pub use spec::{Axis, Change, DefectSpec, FieldSpec, GenSpec, GeneratorSpec, KeySpec};

use make::{Context, Make, write_raw};
use number::{TimeFormat, write_decimal, write_int};
use template::Piece;
use value::{Ready, Val};

/// Fields of one generator at most.
const FIELDS_MAX: usize = 64;
/// Fields of most generators at most.
const FIELDS_FEW: usize = 24;
/// Decimals of a number whose field names none.
const DECIMALS: u32 = 6;

/// A compiled field.
#[derive(Debug, Clone)]
struct Field {
    make: Make,
    stream: Substream,
    /// `,"name":`, or nothing for a hidden field.
    label: Option<Box<[u8]>>,
    /// Label and value together, for the values of a constant or a choice.
    whole: Box<[Box<[u8]>]>,
    /// Another field uses it, so it must have the value that is printed.
    used: bool,
    decimals: u32,
    format: TimeFormat,
    /// Upper bound of the random bits that leave the member out, 0 = never.
    omit: u64,
    null: u64,
}

/// A compiled defect: upper bound of the bits, and what replaces which field.
#[derive(Debug, Clone)]
struct Defect {
    stream: Substream,
    bound: u64,
    set: Vec<(usize, Ready)>,
}

#[derive(Debug, Clone)]
enum Key {
    HashOfPayload,
    Field(usize),
    Const(String),
    Random,
    Uuid,
    Salted(usize, u32),
}

#[derive(Debug, Clone)]
enum Form {
    Object { fields: Vec<Field>, order: Vec<usize>, defects: Vec<Defect> },
    Template(Vec<Piece>),
}

/// A generator version. Immutable; share it.
#[derive(Debug, Clone)]
pub struct Generator {
    name: String,
    seed: u64,
    spec: GeneratorSpec,
    files: Vec<(String, std::sync::Arc<[u8]>)>,
    form: Form,
    key: Key,
    key_stream: Substream,
    event_origin: Option<VirtualTime>,
}

thread_local! {
    /// Scratch space of the record being made: no allocation per record.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A share as an upper bound of 64 random bits.
fn share(path: &str, rate: Option<f64>) -> Result<u64, GenerateError> {
    match rate {
        None => Ok(0),
        Some(rate) if (0.0..=1.0).contains(&rate) => Ok((rate * 18_446_744_073_709_551_615.0) as u64),
        Some(rate) => Err(GenerateError::new(path, format!("{rate} is no share; write a number from 0 to 1"))),
    }
}

impl Generator {
    /// Compiles a description. `files` gives the lab's side files by name.
    ///
    /// # Errors
    /// The path into the description, what was found and what was expected.
    pub fn compile(name: &str, spec: &GeneratorSpec, seed: u64, files: Files<'_>) -> Result<Self, GenerateError> {
        let mut kept = Vec::new();
        for field in &spec.field {
            if let GenSpec::Geo { boxes: file, .. } | GenSpec::Lookup { file, .. } = &field.generate
                && let Some(bytes) = files(file)
                && !kept.iter().any(|(known, _)| known == file)
            {
                kept.push((file.clone(), bytes));
            }
        }
        let names: Vec<&str> = spec.field.iter().map(|field| field.name.as_str()).collect();
        let form = match &spec.template {
            Some(_) if !spec.field.is_empty() => return Err(GenerateError::new("template", "a generator has either a template or fields, not both")),
            Some(text) => Form::Template(template::parse(text)?),
            None => Self::compile_fields(name, spec, &names, seed, files)?,
        };
        let position = |path: &str, wanted: &str| {
            names.iter().position(|name| *name == wanted).ok_or_else(|| {
                let hint = error::near_miss(wanted, names.iter().copied()).map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
                GenerateError::new(path, format!("no field is named '{wanted}'{hint}"))
            })
        };
        let key = match &spec.key {
            KeySpec::HashOfPayload => Key::HashOfPayload,
            KeySpec::Field { field } => Key::Field(position("key.field", field)?),
            KeySpec::Const { value } if value.is_empty() || value.chars().count() > 256 => {
                return Err(GenerateError::new("key.value", "a partition key has 1 to 256 characters"));
            }
            KeySpec::Const { value } => Key::Const(value.clone()),
            KeySpec::Random => Key::Random,
            KeySpec::Uuid => Key::Uuid,
            KeySpec::Salted { field, salts } => Key::Salted(position("key.field", field)?, (*salts).max(1)),
        };
        if let Some(time) = &spec.time {
            position("time", time)?;
        }
        let event_origin = spec.field.iter().find_map(|field| match &field.generate {
            GenSpec::EventTime { start, .. } => parse_iso(start),
            _ => None,
        });
        Ok(Self {
            name: name.to_owned(),
            seed,
            spec: spec.clone(),
            files: kept,
            form,
            key,
            key_stream: Substream::new(seed, &[name, "partition key"]),
            event_origin,
        })
    }

    fn compile_fields(name: &str, spec: &GeneratorSpec, names: &[&str], seed: u64, files: Files<'_>) -> Result<Form, GenerateError> {
        if spec.field.is_empty() {
            return Err(GenerateError::new("field", "a generator needs a template or at least one field"));
        }
        if spec.field.len() > FIELDS_MAX {
            return Err(GenerateError::new("field", format!("{} fields; at most {FIELDS_MAX}", spec.field.len())));
        }
        let mut fields = Vec::with_capacity(spec.field.len());
        for (index, field) in spec.field.iter().enumerate() {
            let path = format!("field[{index}]");
            if names[..index].contains(&field.name.as_str()) {
                return Err(GenerateError::new(format!("{path}.name"), format!("'{}' is declared twice", field.name)));
            }
            let context = Context { seed, generator: name, names, name: &field.name, round: field.round, files };
            let make = Make::compile(&field.generate, &context).map_err(|error| error.within("gen").within(&path))?;
            let format = match &field.generate {
                GenSpec::EventTime { format, .. } | GenSpec::SimTime { format } => TimeFormat::parse(format.as_deref()),
                _ => TimeFormat::IsoSeconds,
            };
            fields.push(Field {
                make,
                stream: Substream::new(seed, &[name, &field.name]),
                label: (!field.hidden).then(|| format!(",{}:", serde_json::Value::String(field.name.clone())).into_bytes().into()),
                whole: Box::default(),
                used: false,
                decimals: field.round.unwrap_or(DECIMALS).min(9),
                format,
                omit: share(&format!("{path}.omit"), field.omit)?,
                null: share(&format!("{path}.null"), field.null)?,
            });
        }
        let order = evaluation_order(&fields, names)?;
        let mut used = Vec::new();
        for field in &fields {
            field.make.fields(&mut used);
        }
        for (at, field) in fields.iter_mut().enumerate() {
            field.used = used.contains(&at);
            if let (Some(label), Some(values)) = (&field.label, field.make.ready()) {
                field.whole = values.iter().map(|ready| [label, &*ready.json].concat().into()).collect();
            }
        }
        let mut defects = Vec::new();
        for (index, defect) in spec.defect.iter().enumerate() {
            let path = format!("defect[{index}]");
            let mut set = Vec::new();
            for (field, value) in &defect.set {
                let at = names
                    .iter()
                    .position(|name| name == field)
                    .ok_or_else(|| GenerateError::new(format!("{path}.set"), format!("no field is named '{field}'")))?;
                set.push((at, Ready::new(value)));
            }
            defects.push(Defect {
                stream: Substream::new(seed, &[name, "defect", &index.to_string()]),
                bound: share(&format!("{path}.rate"), Some(defect.rate))?,
                set,
            });
        }
        Ok(Form::Object { fields, order, defects })
    }

    /// Event time of the first record, for generators with an event-time field.
    pub fn event_origin(&self) -> Option<VirtualTime> {
        self.event_origin
    }

    /// Appends the bytes of record `index`. Pure: the same arguments always give the same bytes.
    pub fn write(&self, index: u64, event_time: VirtualTime, out: &mut Vec<u8>) {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            match &self.form {
                Form::Template(pieces) => {
                    for (number, piece) in pieces.iter().enumerate() {
                        match piece {
                            Piece::Text(text) => out.extend_from_slice(text),
                            Piece::Helper(helper) => {
                                if let Some(value) = helper.write(self.key_stream.child(number as u64), index, event_time, out) {
                                    write_raw(value, scratch, &TimeFormat::IsoSeconds, DECIMALS, out);
                                }
                            }
                        }
                    }
                }
                Form::Object { fields, .. } => {
                    // Registers are cleared for every record: most generators need few.
                    if fields.len() <= FIELDS_FEW {
                        self.write_object(fields, index, event_time, &mut [Val::Null; FIELDS_FEW], scratch, out);
                    } else {
                        self.write_object(fields, index, event_time, &mut [Val::Null; FIELDS_MAX], scratch, out);
                    }
                }
            }
        });
    }

    fn write_object<'g>(
        &'g self,
        fields: &'g [Field],
        index: u64,
        event_time: VirtualTime,
        registers: &mut [Val<'g>],
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) {
        self.fill(index, event_time, registers, scratch);
        let begin = out.len();
        for (field, value) in fields.iter().zip(registers.iter()) {
            let Some(label) = &field.label else { continue };
            if field.omit > 0 && field.stream.bits_of(index, 101) < field.omit {
                continue;
            }
            match value {
                Val::Picked(at) => out.extend_from_slice(&field.whole[*at as usize]),
                value => {
                    out.extend_from_slice(label);
                    write_json(*value, field, scratch, out);
                }
            }
        }
        // The comma before the first member is the place of the brace.
        match out.get_mut(begin) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }

    /// Makes all values of a record.
    fn fill<'g>(&'g self, index: u64, event_time: VirtualTime, registers: &mut [Val<'g>], scratch: &mut Vec<u8>) {
        let Form::Object { fields, order, defects } = &self.form else { return };
        for at in order {
            let field = &fields[*at];
            registers[*at] = if field.null > 0 && field.stream.bits_of(index, 102) < field.null {
                Val::Null
            } else {
                let value = if field.used || field.whole.is_empty() {
                    field.make.value(field.stream, index, event_time, registers, scratch)
                } else {
                    field.make.picked(field.stream, index)
                };
                if field.used { round_to(value, field.decimals) } else { value }
            };
        }
        for defect in defects {
            if defect.stream.bits(index) < defect.bound {
                for (at, ready) in &defect.set {
                    registers[*at] = Val::Ready(ready);
                }
            }
        }
    }

    /// Appends the partition key of record `index`, given its bytes.
    pub fn partition_key(&self, index: u64, data: &[u8], out: &mut String) {
        use std::fmt::Write as _;
        match &self.key {
            Key::HashOfPayload => number::push_int(i64::from(java_hash(data)), out),
            Key::Const(key) => out.push_str(key),
            Key::Random => {
                let _ = write!(out, "{}", self.key_stream.bits(index));
            }
            Key::Uuid => {
                let mut bytes = Vec::with_capacity(36);
                words::write_uuid(self.key_stream, index, &mut bytes);
                out.push_str(&String::from_utf8_lossy(&bytes));
            }
            Key::Field(field) => self.field_key(*field, index, out),
            Key::Salted(field, salts) => {
                self.field_key(*field, index, out);
                let _ = write!(out, "#{}", below(self.key_stream.bits(index), u64::from(*salts)));
            }
        }
        if out.is_empty() {
            out.push('-');
        }
    }

    fn field_key(&self, field: usize, index: u64, out: &mut String) {
        let Form::Object { fields, .. } = &self.form else { return };
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            let mut registers = [Val::Null; FIELDS_MAX];
            self.fill(index, VirtualTime(0), &mut registers, scratch);
            let mut text = Vec::new();
            if let (Val::Picked(at), Some(values)) = (registers[field], fields[field].make.ready()) {
                registers[field] = Val::Ready(&values[at as usize]);
            }
            write_raw(registers[field], scratch, &fields[field].format, fields[field].decimals, &mut text);
            out.extend(String::from_utf8_lossy(&text).chars().take(256));
        });
    }

    /// The next version of this generator.
    ///
    /// # Errors
    /// What is wrong with the change.
    pub fn with_change(&self, change: &Change) -> Result<Self, GenerateError> {
        let mut spec = self.spec.clone();
        for (from, to) in &change.rename {
            let field = spec
                .field
                .iter_mut()
                .find(|field| field.name == *from)
                .ok_or_else(|| GenerateError::new("rename", format!("no field is named '{from}'")))?;
            field.name.clone_from(to);
            for defect in &mut spec.defect {
                if let Some(value) = defect.set.shift_remove(from) {
                    defect.set.insert(to.clone(), value);
                }
            }
        }
        for name in &change.remove {
            // Other fields may depend on it: it stays, unseen.
            let field = spec
                .field
                .iter_mut()
                .find(|field| field.name == *name)
                .ok_or_else(|| GenerateError::new("remove", format!("no field is named '{name}'")))?;
            field.hidden = true;
        }
        spec.field.extend(change.add.iter().cloned());
        spec.defect.extend(change.defect.clone());
        if let Some(key) = &change.key {
            spec.key = key.clone();
        }
        let files = |name: &str| self.files.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone());
        Self::compile(&self.name, &spec, self.seed, &files)
    }
}

/// Numbers are rounded before other fields use them, so that a record adds up as it is printed.
fn round_to(value: Val<'_>, decimals: u32) -> Val<'_> {
    const SCALES: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    match value {
        Val::Num(number) => {
            let scale = SCALES[decimals as usize];
            Val::Num(number::round_half_away(number * scale) / scale)
        }
        other => other,
    }
}

fn write_json(value: Val<'_>, field: &Field, scratch: &[u8], out: &mut Vec<u8>) {
    match value {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Val::Int(value) => write_int(value, out),
        Val::Num(value) => write_decimal(value, field.decimals, out),
        Val::Ready(ready) => out.extend_from_slice(&ready.json),
        // Written with its label.
        Val::Picked(_) => {}
        Val::Text(text) => out.extend_from_slice(serde_json::Value::String(text.to_owned()).to_string().as_bytes()),
        Val::Time(at) if field.format.is_number() => field.format.write(at, out),
        Val::Time(at) => {
            out.push(b'"');
            field.format.write(at, out);
            out.push(b'"');
        }
        Val::Scratch(from, to) => {
            // Helpers write letters, digits and punctuation without quotes or backslashes.
            out.push(b'"');
            out.extend_from_slice(&scratch[from as usize..to as usize]);
            out.push(b'"');
        }
    }
}

/// Fields in an order in which each comes after those it uses.
fn evaluation_order(fields: &[Field], names: &[&str]) -> Result<Vec<usize>, GenerateError> {
    fn visit(at: usize, fields: &[Field], names: &[&str], state: &mut [u8], order: &mut Vec<usize>) -> Result<(), GenerateError> {
        match state[at] {
            2 => return Ok(()),
            1 => return Err(GenerateError::new(format!("field[{at}].gen"), format!("'{}' depends on itself", names[at]))),
            _ => state[at] = 1,
        }
        let mut needs = Vec::new();
        fields[at].make.fields(&mut needs);
        for need in needs {
            visit(need, fields, names, state, order)?;
        }
        state[at] = 2;
        order.push(at);
        Ok(())
    }
    let mut order = Vec::with_capacity(fields.len());
    let mut state = vec![0u8; fields.len()];
    for at in 0..fields.len() {
        visit(at, fields, names, &mut state, &mut order)?;
    }
    Ok(order)
}

/// Java's `String.hashCode` of ASCII bytes, eight at a time: neighbours are joined in wider and wider lanes of one word.
pub fn java_hash(data: &[u8]) -> i32 {
    const P2: u64 = 31 * 31;
    const P4: u32 = (P2 * P2) as u32;
    const P8: u32 = P4.wrapping_mul(P4);
    let mut hash = 0u32;
    let (chunks, rest) = data.as_chunks::<8>();
    for chunk in chunks {
        // The first byte is the lowest: even lanes are multiplied, odd ones added. No lane overflows into the next.
        let bytes = u64::from_le_bytes(*chunk);
        let pairs = (bytes & 0x00ff_00ff_00ff_00ff) * 31 + ((bytes >> 8) & 0x00ff_00ff_00ff_00ff);
        let fours = (pairs & 0x0000_ffff_0000_ffff) * P2 + ((pairs >> 16) & 0x0000_ffff_0000_ffff);
        let eight = (fours as u32).wrapping_mul(P4).wrapping_add((fours >> 32) as u32);
        hash = hash.wrapping_mul(P8).wrapping_add(eight);
    }
    for byte in rest {
        hash = hash.wrapping_mul(31).wrapping_add(u32::from(*byte));
    }
    hash as i32
}

#[cfg(test)]
mod tests;
