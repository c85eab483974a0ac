//! Column types as the Glue catalogue writes them: Hive's type names.

use std::fmt;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `boolean`.
    Boolean,
    /// `tinyint`, 8 bits.
    TinyInt,
    /// `smallint`, 16 bits.
    SmallInt,
    /// `int`, 32 bits.
    Int,
    /// `bigint`, 64 bits.
    BigInt,
    /// `float`, 32 bits.
    Float,
    /// `double`, 64 bits.
    Double,
    /// `decimal(precision, scale)`, at most 38 digits.
    Decimal(u8, u8),
    /// `string`.
    String,
    /// `varchar(n)`.
    Varchar(u32),
    /// `char(n)`.
    Char(u32),
    /// `binary`.
    Binary,
    /// `date`.
    Date,
    /// `timestamp`.
    Timestamp,
    /// `array<type>`.
    Array(Box<Type>),
    /// `map<key,value>`.
    Map(Box<Type>, Box<Type>),
    /// `struct<name:type,…>`.
    Struct(Vec<(String, Type)>),
}

/// A named column.
pub type Column = (String, Type);

impl Type {
    /// Reads a Hive type.
    ///
    /// # Errors
    /// A sentence: what was found where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lower = text.to_lowercase();
        let mut reader = Reader { text: &lower, at: 0 };
        let found = reader.read()?;
        reader.skip();
        if reader.at < lower.len() {
            return Err(format!("'{text}': unexpected '{}'", &lower[reader.at..]));
        }
        Ok(found)
    }

    /// Has no parts.
    pub const fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Map(..) | Self::Struct(_))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Array(item) => write!(f, "array<{item}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (at, (name, kind)) in fields.iter().enumerate() {
                    write!(f, "{}{name}:{kind}", if at == 0 { "" } else { "," })?;
                }
                f.write_str(">")
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.at += self.text[self.at..].len() - self.text[self.at..].trim_start().len();
    }

    fn word(&mut self) -> &str {
        self.skip();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
        let start = self.at;
        self.at += end;
        &self.text[start..self.at]
    }

    fn eat(&mut self, wanted: char) -> Result<(), String> {
        self.skip();
        if self.text[self.at..].starts_with(wanted) {
            self.at += wanted.len_utf8();
            return Ok(());
        }
        Err(format!("'{}': '{wanted}' expected at character {}", self.text, self.at + 1))
    }

    fn sees(&mut self, wanted: char) -> bool {
        self.skip();
        self.text[self.at..].starts_with(wanted)
    }

    fn number(&mut self) -> Result<u32, String> {
        let at = self.at;
        let text = self.text;
        self.word().parse().map_err(|_| format!("'{text}': a number expected at character {}", at + 1))
    }

    fn read(&mut self) -> Result<Type, String> {
        let whole = self.text;
        let word = self.word().to_owned();
        Ok(match word.as_str() {
            "boolean" => Type::Boolean,
            "tinyint" => Type::TinyInt,
            "smallint" => Type::SmallInt,
            "int" | "integer" => Type::Int,
            "bigint" => Type::BigInt,
            "float" => Type::Float,
            "double" => Type::Double,
            "string" => Type::String,
            "binary" => Type::Binary,
            "date" => Type::Date,
            "timestamp" => Type::Timestamp,
            "varchar" | "char" => {
                self.eat('(')?;
                let length = self.number()?;
                self.eat(')')?;
                if word == "char" { Type::Char(length) } else { Type::Varchar(length) }
            }
            "decimal" | "numeric" => {
                if !self.sees('(') {
                    return Ok(Type::Decimal(10, 0));
                }
                self.eat('(')?;
                let precision = self.number()?;
                let scale = if self.sees(',') {
                    self.eat(',')?;
                    self.number()?
                } else {
                    0
                };
                self.eat(')')?;
                if precision == 0 || precision > 38 || scale > precision {
                    return Err(format!("'{whole}': decimal has 1 to 38 digits and no more behind the point"));
                }
                Type::Decimal(precision as u8, scale as u8)
            }
            "array" => {
                self.eat('<')?;
                let item = self.read()?;
                self.eat('>')?;
                Type::Array(Box::new(item))
            }
            "map" => {
                self.eat('<')?;
                let key = self.read()?;
                self.eat(',')?;
                let value = self.read()?;
                self.eat('>')?;
                if !key.is_scalar() {
                    return Err(format!("'{whole}': the key of a map is a scalar"));
                }
                Type::Map(Box::new(key), Box::new(value))
            }
            "struct" => {
                self.eat('<')?;
                let mut fields = Vec::new();
                loop {
                    let name = self.word().to_owned();
                    if name.is_empty() {
                        return Err(format!("'{whole}': a field name expected at character {}", self.at + 1));
                    }
                    self.eat(':')?;
                    fields.push((name, self.read()?));
                    if !self.sees(',') {
                        break;
                    }
                    self.eat(',')?;
                }
                self.eat('>')?;
                Type::Struct(fields)
            }
            "" => return Err(format!("'{whole}': a type expected at character {}", self.at + 1)),
            other => return Err(format!("'{whole}': '{other}' is no type of the catalogue")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_and_written() {
        for text in ["int", "decimal(10,2)", "array<struct<a:int,b:map<string,double>>>", "varchar(12)", "struct<x:array<string>>"] {
            assert_eq!(Type::parse(text).expect("good").to_string(), text);
        }
        assert_eq!(Type::parse("DECIMAL").expect("good"), Type::Decimal(10, 0));
        for wrong in ["", "text", "array<int", "map<array<int>,int>", "decimal(40,2)", "int int", "struct<>"] {
            assert!(Type::parse(wrong).is_err(), "{wrong}");
        }
    }
}
