//! Lists: their whole state stands in the address, so that it can be linked, reloaded and gone back to.

use crate::fields::Fields;

/// A column of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnSpec {
    /// What `sort` calls it; empty for a column that rows are not sorted by.
    pub(crate) key: &'static str,
    /// Its words.
    pub(crate) label: &'static str,
    /// A class for its header: `num` for numbers.
    pub(crate) class: &'static str,
}

impl ColumnSpec {
    /// A column that rows can be sorted by.
    pub(crate) const fn sorted(key: &'static str, label: &'static str) -> Self {
        Self {
            key,
            label,
            class: "",
        }
    }

    /// A column that goes first where there is little room.
    pub(crate) const fn less(mut self) -> Self {
        self.class = "less";
        self
    }

    /// A column of numbers that rows can be sorted by.
    pub(crate) const fn number(key: &'static str, label: &'static str) -> Self {
        Self {
            key,
            label,
            class: "num",
        }
    }
}

/// What a list is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListSpec {
    /// Its columns, without those for ticks and menus.
    pub(crate) columns: &'static [ColumnSpec],
    /// The key of the column that it is sorted by unless the address says otherwise.
    pub(crate) sort: &'static str,
    /// Whether that sort descends.
    pub(crate) descending: bool,
    /// The names of its filters in the address.
    pub(crate) filters: &'static [&'static str],
}

/// How many rows a page may have.
const ROWS: [usize; 4] = [10, 25, 50, 100];

impl ListSpec {
    /// The state of this list, at `path`, as `fields` tell it. What makes no sense counts as not said.
    pub(crate) fn read(&'static self, path: impl Into<String>, fields: &Fields) -> ListState {
        let named = self
            .columns
            .iter()
            .find(|column| column.key == fields.text("sort"));
        let sort = named.map_or(self.sort, |column| column.key);
        let descending = match fields.text("dir") {
            "asc" => false,
            "desc" => true,
            _ => sort == self.sort && self.descending,
        };
        let filters = self
            .filters
            .iter()
            .flat_map(|name| fields.given(name).map(|value| (*name, value.to_owned())));
        ListState {
            spec: self,
            path: path.into(),
            search: fields.text("q").to_owned(),
            sort,
            descending,
            page: fields.number("page").unwrap_or(1).max(1),
            rows: fields
                .number("rows")
                .filter(|rows| ROWS.contains(rows))
                .unwrap_or(ROWS[0]),
            filters: filters.collect(),
        }
    }
}

/// Which part of a list is shown, and how.
#[derive(Debug, Clone)]
pub(crate) struct ListState {
    spec: &'static ListSpec,
    path: String,
    /// What is searched for.
    pub(crate) search: String,
    /// The key of the column that rows are sorted by.
    pub(crate) sort: &'static str,
    /// Whether that sort descends.
    pub(crate) descending: bool,
    /// Which page, from 1.
    pub(crate) page: usize,
    /// How many rows a page has.
    pub(crate) rows: usize,
    filters: Vec<(&'static str, String)>,
}

impl ListState {
    /// How many rows come before the page.
    pub(crate) fn offset(&self) -> usize {
        (self.page - 1).saturating_mul(self.rows)
    }

    /// The value of a filter; empty when it is not set.
    pub(crate) fn filter(&self, name: &str) -> &str {
        let found = self.filters.iter().find(|(own, _)| *own == name);
        found.map_or("", |(_, value)| value)
    }

    /// With this filter besides, from the first page on. `name` must be one of the list's filters.
    pub(crate) fn with_filter(&self, name: &'static str, value: &str) -> Self {
        let mut state = self.clone();
        state.filters.retain(|(own, _)| *own != name);
        state.filters.push((name, value.to_owned()));
        state.page = 1;
        state
    }

    /// Goes to the last page, when the one asked for is behind it: rows may have gone since the link was made. Says
    /// whether it did, and the rows must be fetched again.
    pub(crate) fn step_back(&mut self, total: usize) -> bool {
        let last = total.div_ceil(self.rows).max(1);
        let is_behind = self.page > last;
        self.page = self.page.min(last);
        is_behind
    }

    /// The state as the fields of an address; nothing where it is as usual.
    pub(crate) fn fields(&self) -> Fields {
        let is_usual = self.sort == self.spec.sort && self.descending == self.spec.descending;
        let sort = if is_usual { "" } else { self.sort };
        let direction = match (is_usual, self.descending) {
            (true, _) => "",
            (false, true) => "desc",
            (false, false) => "asc",
        };
        let text = |number: usize, usual: usize| match number == usual {
            true => String::new(),
            false => number.to_string(),
        };
        let filters = self.filters.iter();
        filters
            .fold(Fields::default(), |fields, (name, value)| {
                fields.with(name, value)
            })
            .with("q", &self.search)
            .with("sort", sort)
            .with("dir", direction)
            .with("rows", &text(self.rows, ROWS[0]))
            .with("page", &text(self.page, 1))
    }

    /// The address of the list as it is shown.
    pub(crate) fn href(&self) -> String {
        self.fields().after(&self.path)
    }

    /// `path`, carrying the state along, for a dialog over the list.
    pub(crate) fn over(&self, path: &str) -> String {
        self.fields().after(path)
    }

    /// All that templates need of the list's state.
    pub(crate) fn view(&self, total: usize) -> ListView {
        let fields = self.fields();
        let kept = |without: &[&str]| {
            let pairs = fields.iter().filter(|(name, _)| !without.contains(name));
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        };
        let mut not_in_search = vec!["q", "page"];
        not_in_search.extend(self.spec.filters);
        let sort_only = self
            .filters
            .iter()
            .fold(fields.clone(), |fields, (name, _)| fields.with(name, ""));
        ListView {
            path: self.path.clone(),
            search: self.search.clone(),
            headers: self
                .spec
                .columns
                .iter()
                .map(|column| self.header(column))
                .collect(),
            pager: self.pager(total),
            kept_by_search: kept(&not_in_search),
            kept_by_rows: kept(&["rows", "page"]),
            is_narrowed: !self.search.is_empty() || !self.filters.is_empty(),
            cleared: sort_only.with("q", "").with("page", "").after(&self.path),
        }
    }

    fn header(&self, column: &ColumnSpec) -> Header {
        let is_sorted = column.key == self.sort;
        let turned = Self {
            sort: column.key,
            descending: is_sorted && !self.descending,
            page: 1,
            ..self.clone()
        };
        Header {
            label: column.label,
            class: column.class,
            href: turned.href(),
            sorted: match (is_sorted, self.descending) {
                (false, _) => "",
                (true, false) => "ascending",
                (true, true) => "descending",
            },
        }
    }

    fn pager(&self, total: usize) -> Pager {
        let to = |page: usize| Self { page, ..self.clone() }.href();
        let end = (self.offset() + self.rows).min(total);
        Pager {
            from: (self.offset() + 1).min(end),
            to: end,
            total,
            rows: self.rows,
            choices: ROWS.to_vec(),
            previous: if self.page > 1 {
                to(self.page - 1)
            } else {
                String::new()
            },
            next: if end < total {
                to(self.page + 1)
            } else {
                String::new()
            },
        }
    }
}

/// A list as templates see it.
#[derive(Debug, Clone)]
pub(crate) struct ListView {
    /// Its address without state.
    pub(crate) path: String,
    /// What is searched for.
    pub(crate) search: String,
    /// The headers of its columns.
    pub(crate) headers: Vec<Header>,
    /// Which rows are shown.
    pub(crate) pager: Pager,
    /// What the form of search and filters carries along.
    pub(crate) kept_by_search: Vec<(String, String)>,
    /// What the form for the number of rows carries along.
    pub(crate) kept_by_rows: Vec<(String, String)>,
    /// Whether search or filters hide rows.
    pub(crate) is_narrowed: bool,
    /// The address without search and filters.
    pub(crate) cleared: String,
}

/// The header of a column.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// Its words.
    pub(crate) label: &'static str,
    /// Its class.
    pub(crate) class: &'static str,
    /// Where a click leads; empty when rows are not sorted by it.
    pub(crate) href: String,
    /// `ascending`, `descending`, or empty: the value of `aria-sort`.
    pub(crate) sorted: &'static str,
}

/// Which rows are shown: "1–10 of 42".
#[derive(Debug, Clone)]
pub(crate) struct Pager {
    /// The first, from 1; 0 when there is none.
    pub(crate) from: usize,
    /// The last.
    pub(crate) to: usize,
    /// All of them.
    pub(crate) total: usize,
    /// How many a page has.
    pub(crate) rows: usize,
    /// How many it may have.
    pub(crate) choices: Vec<usize>,
    /// The page before; empty on the first.
    pub(crate) previous: String,
    /// The page after; empty on the last.
    pub(crate) next: String,
}

impl Pager {
    /// How many of these things there are: `1 database`.
    pub(crate) fn total_of(&self, thing: &str) -> String {
        crate::words::count(self.total as u64, thing)
    }

    /// All of them, as people read it.
    pub(crate) fn total_text(&self) -> String {
        crate::words::grouped(self.total as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SPEC: ListSpec = ListSpec {
        columns: &[
            ColumnSpec::sorted("name", "Name"),
            ColumnSpec::number("size", "Size"),
            ColumnSpec::sorted("kind", "Kind"),
        ],
        sort: "name",
        descending: false,
        filters: &["kind"],
    };

    fn state(query: &str) -> ListState {
        SPEC.read("/x", &Fields::parse(query.as_bytes()))
    }

    #[test]
    fn the_address_says_only_what_is_unusual() {
        assert_eq!(state("").href(), "/x");
        assert_eq!(state("q=&sort=name&dir=asc&page=1&rows=10&kind=").href(), "/x");
        assert_eq!(
            state("rows=25&page=3&sort=size&dir=desc&kind=a%26b&q=+%C3%BC+").href(),
            "/x?kind=a%26b&q=%C3%BC&sort=size&dir=desc&rows=25&page=3"
        );
        assert_eq!(state("sort=drop&dir=up&page=-1&rows=999999&other=1").href(), "/x");
    }

    #[test]
    fn headers_turn_the_sort_and_go_to_the_first_page() {
        let headers = state("page=2&q=a").view(100).headers;
        let shown: Vec<_> = headers
            .iter()
            .map(|header| (header.sorted, header.href.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("ascending", "/x?q=a&sort=name&dir=desc"),
                ("", "/x?q=a&sort=size&dir=asc"),
                ("", "/x?q=a&sort=kind&dir=asc")
            ]
        );
    }

    #[test]
    fn the_pager_stays_within_the_list() {
        let mut late = state("page=9&rows=25");
        assert!(late.step_back(60));
        let pager = late.view(60).pager;
        assert_eq!((pager.from, pager.to, pager.next.as_str()), (51, 60, ""));
        assert_eq!(pager.previous, "/x?rows=25&page=2");
        let none = state("").view(0).pager;
        assert_eq!((none.from, none.to, none.total), (0, 0, 0));
    }
}
