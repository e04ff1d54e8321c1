//! The values that go into a statement and come out of it, the same for both engines.

use super::error::Error;

/// One value of a column or parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Val {
    /// SQL's NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BYTEA or BLOB.
    Bytes(Vec<u8>),
    /// BOOLEAN.
    Bool(bool),
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Val {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Val {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Val {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&oci::Digest> for Val {
    fn from(value: &oci::Digest) -> Self {
        Self::Bytes(value.to_key())
    }
}

impl<T: Into<Val>> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer. Columns are taken by position; a column of another type is an [`Error`], never a default.
#[derive(Debug)]
pub struct Row(pub(super) Vec<Val>);

impl Row {
    fn column(&mut self, index: usize) -> Result<&mut Val, Error> {
        self.0.get_mut(index).ok_or_else(|| Error::decode(index, "a column", "none"))
    }

    /// Takes a BIGINT.
    pub fn int(&mut self, index: usize) -> Result<i64, Error> {
        match self.column(index)? {
            Val::Int(value) => Ok(*value),
            other => Err(Error::decode(index, "BIGINT", other.type_name())),
        }
    }

    /// Takes a BIGINT that counts or measures, so that it is never negative.
    pub fn size(&mut self, index: usize) -> Result<u64, Error> {
        u64::try_from(self.int(index)?).map_err(|_| Error::decode(index, "a size", "a negative number"))
    }

    /// Takes a BIGINT or NULL.
    pub fn opt_int(&mut self, index: usize) -> Result<Option<i64>, Error> {
        match self.column(index)? {
            Val::Null => Ok(None),
            _ => self.int(index).map(Some),
        }
    }

    /// Takes a BOOLEAN; SQLite keeps it as 0 or 1.
    pub fn bool(&mut self, index: usize) -> Result<bool, Error> {
        match self.column(index)? {
            Val::Bool(value) => Ok(*value),
            Val::Int(value) => Ok(*value != 0),
            other => Err(Error::decode(index, "BOOLEAN", other.type_name())),
        }
    }

    /// Takes a TEXT; the row holds an empty one afterwards.
    pub fn text(&mut self, index: usize) -> Result<String, Error> {
        match self.column(index)? {
            Val::Text(value) => Ok(std::mem::take(value)),
            other => Err(Error::decode(index, "TEXT", other.type_name())),
        }
    }

    /// Takes a TEXT or NULL.
    pub fn opt_text(&mut self, index: usize) -> Result<Option<String>, Error> {
        match self.column(index)? {
            Val::Null => Ok(None),
            _ => self.text(index).map(Some),
        }
    }

    /// Takes bytes; the row holds none afterwards.
    pub fn bytes(&mut self, index: usize) -> Result<Vec<u8>, Error> {
        match self.column(index)? {
            Val::Bytes(value) => Ok(std::mem::take(value)),
            other => Err(Error::decode(index, "BYTEA", other.type_name())),
        }
    }

    /// Takes bytes or NULL.
    pub fn opt_bytes(&mut self, index: usize) -> Result<Option<Vec<u8>>, Error> {
        match self.column(index)? {
            Val::Null => Ok(None),
            _ => self.bytes(index).map(Some),
        }
    }

    /// Takes a digest.
    pub fn digest(&mut self, index: usize) -> Result<oci::Digest, Error> {
        let key = self.bytes(index)?;
        oci::Digest::from_key(&key).ok_or_else(|| Error::decode(index, "a digest", "other bytes"))
    }

    /// Takes a digest or NULL.
    pub fn opt_digest(&mut self, index: usize) -> Result<Option<oci::Digest>, Error> {
        match self.column(index)? {
            Val::Null => Ok(None),
            _ => self.digest(index).map(Some),
        }
    }
}

impl Val {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "BIGINT",
            Self::Text(_) => "TEXT",
            Self::Bytes(_) => "BYTEA",
            Self::Bool(_) => "BOOLEAN",
        }
    }
}
