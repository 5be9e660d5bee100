//! Reads stored values back, and names table, column and row when one is not what Rescind writes.

use std::fmt::Display;
use std::str::FromStr;

use rescind_domain::{Agent, AuditHash, Client, SecretHash, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row, Type};

use crate::Error;

/// One row of `table`; the column `key` says which.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'r> {
    row: &'r AnyRow,
    table: &'static str,
    key: &'static str,
}

impl<'r> Fields<'r> {
    pub(crate) fn new(row: &'r AnyRow, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    fn get<T: Decode<'r, Any> + Type<Any>>(self, column: &'static str) -> Result<T, Error> {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(column, error))
    }

    pub(crate) fn text(self, column: &'static str) -> Result<&'r str, Error> {
        self.get(column)
    }

    pub(crate) fn opt_text(self, column: &'static str) -> Result<Option<&'r str>, Error> {
        self.get(column)
    }

    pub(crate) fn int(self, column: &'static str) -> Result<i64, Error> {
        self.get(column)
    }

    pub(crate) fn opt_int(self, column: &'static str) -> Result<Option<i64>, Error> {
        self.get(column)
    }

    pub(crate) fn time(self, column: &'static str) -> Result<Timestamp, Error> {
        self.int(column).map(Timestamp::from_micros)
    }

    pub(crate) fn opt_time(self, column: &'static str) -> Result<Option<Timestamp>, Error> {
        Ok(self.opt_int(column)?.map(Timestamp::from_micros))
    }

    pub(crate) fn parse<T: FromStr<Err: Display>>(self, column: &'static str) -> Result<T, Error> {
        self.text(column)?
            .parse()
            .map_err(|error| self.corrupt(column, error))
    }

    /// An integer that `make` accepts.
    pub(crate) fn number<T>(
        self,
        column: &'static str,
        make: impl FnOnce(i64) -> Option<T>,
    ) -> Result<T, Error> {
        let value = self.int(column)?;
        make(value).ok_or_else(|| self.corrupt(column, format!("{value} is out of range")))
    }

    /// A text that `read` understands.
    pub(crate) fn read<T, E: Display>(
        self,
        column: &'static str,
        read: impl FnOnce(&'r str) -> Result<T, E>,
    ) -> Result<T, Error> {
        read(self.text(column)?).map_err(|error| self.corrupt(column, error))
    }

    /// The columns `address` and `agent`.
    pub(crate) fn client(self) -> Result<Client, Error> {
        Ok(Client {
            address: self.parse("address")?,
            agent: Agent::new(self.text("agent")?),
        })
    }

    pub(crate) fn secret_hash(self, column: &'static str) -> Result<SecretHash, Error> {
        let bytes: &[u8] = self.get(column)?;
        let bytes = bytes
            .try_into()
            .map_err(|_| self.corrupt(column, "not 64 bytes long"))?;
        Ok(SecretHash::from_bytes(bytes))
    }

    pub(crate) fn audit_hash(self, column: &'static str) -> Result<AuditHash, Error> {
        let text = self.text(column)?;
        unhex(text).ok_or_else(|| self.corrupt(column, "not 64 hexadecimal digits"))
    }

    /// Says that the value in `column` is not what Rescind writes.
    pub(crate) fn corrupt(self, column: &'static str, problem: impl Display) -> Error {
        let row = match self.row.try_get::<&str, _>(self.key) {
            Ok(text) => text.to_owned(),
            Err(_) => self
                .row
                .try_get::<i64, _>(self.key)
                .map_or_else(|_| "unknown".to_owned(), |id| id.to_string()),
        };
        Error::Corrupt {
            table: self.table,
            column,
            row,
            problem: problem.to_string(),
        }
    }
}

fn unhex(text: &str) -> Option<AuditHash> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(AuditHash::from_bytes(bytes))
}
