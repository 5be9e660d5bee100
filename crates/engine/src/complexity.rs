//! How much work a statement may make for those who plan it. DataFusion plans and runs by recursion, and repeats
//! a common table expression wherever it is named, so that a short text can need more stack, memory or time than
//! there is. Statements are measured first: what they hold once everything is repeated.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArguments, ObjectName, Query, Select, SetExpr, TableFactor,
    Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::errors::QueryError;

/// Words, values and signs of a text.
const MAX_TOKENS: u64 = 20_000;
/// Operators, conditions and calls. The deepest statement is a chain of as many; planning takes the square of it.
const MAX_OPERATIONS: u64 = 1_000;
/// Tables, sub-selects and set operations.
const MAX_RELATIONS: u64 = 100;
/// DataFusion's parser follows them without a bound.
const MAX_EXPLAINS: usize = 1;
/// A list of at most so many values becomes comparisons, each with a copy of what is compared.
const COMPARED_VALUES: usize = 3;

/// What a statement holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Complexity {
    operations: u64,
    relations: u64,
    /// Calls that may make texts.
    pub(crate) calls: u64,
}

impl Complexity {
    fn add(&mut self, other: Self) {
        self.operations = self.operations.saturating_add(other.operations);
        self.relations = self.relations.saturating_add(other.relations);
        self.calls = self.calls.saturating_add(other.calls);
    }

    fn times(self, factor: u64) -> Self {
        Self {
            operations: self.operations.saturating_mul(factor),
            relations: self.relations.saturating_mul(factor),
            calls: self.calls.saturating_mul(factor),
        }
    }

    fn check(self) -> Result<(), QueryError> {
        let repeated = "each WITH query counted wherever it is named";
        if self.operations > MAX_OPERATIONS {
            return Err(too_complex(&format!(
                "at most {MAX_OPERATIONS} operators and calls, {repeated}"
            )));
        }
        if self.relations > MAX_RELATIONS {
            return Err(too_complex(&format!(
                "at most {MAX_RELATIONS} tables, sub-selects and set operations, {repeated}"
            )));
        }
        Ok(())
    }
}

/// Measures a text before it is parsed.
pub(crate) fn check_text(sql: &str) -> Result<(), QueryError> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| QueryError::Invalid(format!("SQL error: {error}")))?;
    let is_counted = |token: &&Token| !matches!(token, Token::Whitespace(_));
    if tokens.iter().filter(is_counted).count() as u64 > MAX_TOKENS {
        return Err(too_complex(&format!(
            "at most {MAX_TOKENS} words, values and signs"
        )));
    }
    let is_explain = |token: &&Token| matches!(token, Token::Word(word) if word.keyword == Keyword::EXPLAIN);
    if tokens.iter().filter(is_explain).count() > MAX_EXPLAINS {
        return Err(QueryError::Invalid("EXPLAIN can be said once only".to_owned()));
    }
    Ok(())
}

/// Measures a statement before it is planned.
pub(crate) fn check_statement(statement: &Statement) -> Result<Complexity, QueryError> {
    match statement {
        Statement::Explain(explain) => check_statement(&explain.statement),
        Statement::Statement(statement) => {
            let mut meter = Meter {
                frames: vec![Frame::default()],
            };
            if let ControlFlow::Break(error) = statement.visit(&mut meter) {
                return Err(*error);
            }
            let whole = meter.top().complexity;
            whole.check()?;
            Ok(whole)
        }
        // They are refused for what they are.
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {
            Ok(Complexity::default())
        }
    }
}

/// Walks a statement. What is repeated when planned has a frame of its own.
struct Meter {
    frames: Vec<Frame>,
}

#[derive(Default)]
struct Frame {
    complexity: Complexity,
    /// The common table expressions known here.
    known: HashMap<String, Complexity>,
    /// Those that come, by the address of their query.
    coming: HashMap<usize, String>,
}

type Flow = ControlFlow<Box<QueryError>>;

impl Meter {
    fn top(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// Checked at once: what is not even used is planned too.
    fn pop(&mut self) -> Result<Complexity, Box<QueryError>> {
        let complexity = self.frames.pop().unwrap_or_default().complexity;
        complexity.check().map_err(Box::new)?;
        Ok(complexity)
    }

    fn known(&self, name: &ObjectName) -> Option<Complexity> {
        let name = spelled(name);
        let mut known = self.frames.iter().rev().map(|frame| frame.known.get(&name));
        known.find_map(|found| found.copied())
    }
}

impl Visitor for Meter {
    type Break = Box<QueryError>;

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        let mut frame = Frame::default();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = cte.alias.name.value.to_lowercase();
            frame.coming.insert(address(&cte.query), name);
        }
        frame.complexity.relations = set_operations(&query.body);
        self.frames.push(frame);
        Flow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> Flow {
        let complexity = match self.pop() {
            Ok(complexity) => complexity,
            Err(error) => return Flow::Break(error),
        };
        let outer = self.top();
        match outer.coming.remove(&address(query)) {
            Some(name) => outer.known.entry(name).or_default().add(complexity),
            None => outer.complexity.add(complexity),
        }
        Flow::Continue(())
    }

    fn pre_visit_select(&mut self, _: &Select) -> Flow {
        self.top().complexity.relations += 1;
        Flow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, _: &TableFactor) -> Flow {
        self.top().complexity.relations += 1;
        Flow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> Flow {
        if let Some(complexity) = self.known(name) {
            self.top().complexity.add(complexity);
        }
        Flow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        if let Some(pattern) = pattern(expr)
            && !matches!(pattern, Expr::Value(_))
        {
            let error = "the pattern of a regular expression must be a plain text or a parameter";
            return Flow::Break(Box::new(QueryError::Invalid(error.to_owned())));
        }
        if copies(expr) > 1 {
            self.frames.push(Frame::default());
        }
        let complexity = &mut self.top().complexity;
        complexity.operations += u64::from(is_operation(expr));
        complexity.calls += u64::from(makes_text(expr));
        Flow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> Flow {
        let copies = copies(expr);
        if copies > 1 {
            match self.pop() {
                Ok(complexity) => self.top().complexity.add(complexity.times(copies)),
                Err(error) => return Flow::Break(error),
            }
        }
        Flow::Continue(())
    }
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}

fn spelled(name: &ObjectName) -> String {
    let parts: Vec<String> = name.0.iter().map(|part| part.to_string()).collect();
    parts.join(".").replace('"', "").to_lowercase()
}

fn set_operations(body: &SetExpr) -> u64 {
    let mut operations = 0;
    let mut open = vec![body];
    while let Some(body) = open.pop() {
        if let SetExpr::SetOperation { left, right, .. } = body {
            operations += 1;
            open.extend([&**left, &**right]);
        }
    }
    operations
}

fn is_operation(expr: &Expr) -> bool {
    !matches!(
        expr,
        Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Wildcard(_)
    ) && !matches!(expr, Expr::UnaryOp { expr, .. } if matches!(**expr, Expr::Value(_)))
        && !matches!(expr, Expr::Tuple(_))
}

fn makes_text(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Function(_)
            | Expr::Overlay { .. }
            | Expr::BinaryOp {
                op: BinaryOperator::StringConcat,
                ..
            }
    )
}

/// How often planning repeats what stands in an expression.
fn copies(expr: &Expr) -> u64 {
    match expr {
        Expr::Between { .. } => 2,
        Expr::InList { list, .. } if list.len() <= COMPARED_VALUES => list.len() as u64,
        Expr::Function(function) if repeats(function) => 2,
        _ => 1,
    }
}

fn repeats(function: &Function) -> bool {
    let name = spelled(&function.name);
    matches!(name.as_str(), "coalesce" | "nvl" | "nvl2" | "ifnull" | "nullif")
        && !matches!(function.args, FunctionArguments::None)
}

/// The pattern of a regular expression that is matched by an operator: each costs far more memory than its text, and
/// a column of them would be compiled all at once.
fn pattern(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::BinaryOp {
            op:
                BinaryOperator::PGRegexMatch
                | BinaryOperator::PGRegexIMatch
                | BinaryOperator::PGRegexNotMatch
                | BinaryOperator::PGRegexNotIMatch,
            right,
            ..
        } => Some(right),
        Expr::SimilarTo { pattern, .. } | Expr::RLike { pattern, .. } => Some(pattern),
        _ => None,
    }
}

fn too_complex(limit: &str) -> QueryError {
    QueryError::Invalid(format!(
        "the query is too complex: {limit}; split it into several queries"
    ))
}
