//! Lists: puts filter, order and page together into one statement.
//!
//! Only texts of this crate become SQL; what a caller gave is always bound.

use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row};

use crate::pages::Place;
use crate::seam::Connection;
use crate::{Cursor, Error, Page, Paged};

/// A value to bind.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&Place> for Value {
    fn from(place: &Place) -> Self {
        match place {
            Place::Int(number) => Self::Int(*number),
            Place::Text(text) => Self::Text(text.clone()),
        }
    }
}

/// Conditions that all must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
    owner: Option<(&'static str, String)>,
    is_rare: bool,
}

impl Filter {
    /// Only rows whose text `column` holds this id: the first column of the indexes that give the orders.
    pub(crate) fn of_owner(column: &'static str, id: impl ToString) -> Self {
        Self {
            owner: Some((column, id.to_string())),
            ..Self::default()
        }
    }

    /// Adds a condition in which every `?` stands for the next of `values`.
    pub(crate) fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(format!("({condition})"));
        self.values.extend(values);
    }

    /// Adds a condition that most rows do not meet: any of `columns` holds `needle`. `LIKE` folds case on one backend
    /// and not on the other, and has characters of its own.
    pub(crate) fn and_contains(&mut self, columns: &[&str], needles: &[String]) {
        let mut conditions = Vec::new();
        for (column, needle) in columns.iter().flat_map(|c| needles.iter().map(move |n| (c, n))) {
            conditions.push(format!("replace({column}, ?, '') <> {column}"));
            self.values.push(Value::Text(needle.clone()));
        }
        self.conditions.push(format!("({})", conditions.join(" OR ")));
        self.is_rare = true;
    }

    /// The condition in SQL and its values. Where most rows are looked at anyway, one pass over the table is several
    /// times faster than following an index row by row; an expression in the place of the column keeps both backends
    /// from doing that.
    fn render(&self, one_pass: bool) -> (String, Vec<Value>) {
        let owner = self.owner.as_ref().map(|(column, id)| {
            let condition = if one_pass {
                format!("{column} || '' = ?")
            } else {
                format!("{column} = ?")
            };
            (condition, Value::Text(id.clone()))
        });
        let (first, value) = owner.unzip();
        let conditions: Vec<String> = first.into_iter().chain(self.conditions.iter().cloned()).collect();
        let values = value.into_iter().chain(self.values.iter().cloned()).collect();
        let mut sql = String::new();
        let mut pieces = conditions.join(" AND ");
        if !pieces.is_empty() {
            pieces.insert_str(0, " WHERE ");
        }
        for (number, piece) in pieces.split('?').enumerate() {
            if number > 0 {
                sql.push_str(&format!("${number}"));
            }
            sql.push_str(piece);
        }
        (sql, values)
    }
}

/// A column or an expression that rows are ordered by; never null.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    sql: &'static str,
    is_text: bool,
}

impl Key {
    pub(crate) const fn text(sql: &'static str) -> Self {
        Self { sql, is_text: true }
    }

    pub(crate) const fn int(sql: &'static str) -> Self {
        Self { sql, is_text: false }
    }

    fn fits(self, place: &Place) -> bool {
        matches!(place, Place::Text(_)) == self.is_text
    }

    fn read(self, row: &AnyRow, column: &str) -> Result<Place, Error> {
        Ok(match self.is_text {
            true => Place::Text(row.try_get(column)?),
            false => Place::Int(row.try_get(column)?),
        })
    }
}

/// A list.
pub(crate) struct Listing<'a> {
    /// What is read of each row.
    pub(crate) columns: &'static str,
    /// From where.
    pub(crate) from: &'static str,
    /// Which rows.
    pub(crate) filter: Filter,
    /// What they are ordered by.
    pub(crate) place: Key,
    /// What tells rows with an equal place apart.
    pub(crate) id: Key,
    /// Whether the last comes first.
    pub(crate) descending: bool,
    /// Which part.
    pub(crate) page: &'a Page,
}

impl Listing<'_> {
    pub(crate) async fn fetch<T>(
        self,
        connection: &mut Connection,
        decode: fn(&AnyRow) -> Result<T, Error>,
    ) -> Result<Paged<T>, Error> {
        // On another list's cursor the statement would fail or skip rows.
        let is_foreign = |cursor: &Cursor| !(self.place.fits(&cursor.place) && self.id.fits(&cursor.id));
        if self.page.after.as_ref().is_some_and(is_foreign) {
            return Err(Error::Cursor);
        }
        let total = match self.page.count {
            true => Some(self.count(connection).await?),
            false => None,
        };
        let size = self.page.size();
        let rows = self.rows(connection, size + 1).await?;
        let next = match rows.get(size - 1).filter(|_| rows.len() > size) {
            Some(last) => Some(Cursor {
                place: self.place.read(last, "page_place")?,
                id: self.id.read(last, "page_id")?,
            }),
            None => None,
        };
        let items = rows.iter().take(size).map(decode).collect::<Result<_, _>>()?;
        Ok(Paged { items, next, total })
    }

    async fn count(&self, connection: &mut Connection) -> Result<u64, Error> {
        let (filter, values) = self.filter.render(!self.filter.conditions.is_empty());
        let sql = format!("SELECT COUNT(*) FROM {}{filter}", self.from);
        let row = bound(sql, &values).fetch_one(connection).await?;
        let count: i64 = row.try_get(0)?;
        Ok(count.unsigned_abs())
    }

    async fn rows(&self, connection: &mut Connection, limit: usize) -> Result<Vec<AnyRow>, Error> {
        let (place, id) = (self.place.sql, self.id.sql);
        let (order, beyond) = if self.descending {
            ("DESC", "<")
        } else {
            ("ASC", ">")
        };
        let mut filter = self.filter.clone();
        if let Some(cursor) = &self.page.after {
            // The first half says nothing new, but it is what SQLite can look up in an index on an expression.
            let [place_value, id_value] = [&cursor.place, &cursor.id].map(Value::from);
            filter.and(
                &format!("{place} {beyond}= ? AND ({place}, {id}) {beyond} (?, ?)"),
                [place_value.clone(), place_value, id_value],
            );
        }
        let (filter, values) = filter.render(filter.is_rare);
        let sql = format!(
            "SELECT {}, {place} AS page_place, {id} AS page_id FROM {}{filter} ORDER BY {place} {order}, {id} {order} LIMIT {limit}",
            self.columns, self.from
        );
        Ok(bound(sql, &values).fetch_all(connection).await?)
    }
}

fn bound(sql: String, values: &[Value]) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
    values
        .iter()
        .fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
            Value::Int(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
        })
}
