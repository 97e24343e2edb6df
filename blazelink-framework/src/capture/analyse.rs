//! From a statement's text to its [`Shape`]: which tables it reads, and which of their rows count.
//!
//! Every SELECT at any depth is looked at by itself: the equalities of its WHERE and its joins
//! narrow the tables of its own FROM (see `conditions`). What stands anywhere else is read as a
//! whole; what is not understood reads everything. Nothing is sent that could turn off that the
//! connection only reads.
//!
//! What must stay true: if a commit changes a statement's result, one of the dependencies that are
//! made of its shape is hit by it. A spare dependency costs a read, a missing one is a stale screen.
//! `tests/capture` has Postgres judge.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use blazelink_codes::limits;
use sqlparser::ast::{
    Expr, Function as Called, Ident, NonBlock, ObjectName, Query, Select, SetExpr, Statement,
    TableFactor, TableWithJoins, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::catalog::{Catalog, Lost};
use super::conditions::{Conditions, Source};
use super::names::{self, Function};
use super::shape::{Reads, Shape};
use crate::table::TableDef;

/// Stack for parsing: room for [`limits::CAPTURED_OPERATORS`] levels of an unoptimised build.
const STACK: usize = 64 << 20;

/// What the statement of this text reads.
pub(super) fn analyse(sql: &str, catalog: &Catalog, tables: &[TableDef]) -> Shape {
    if let Some(reason) = catalog.opaque() {
        // Whether it only reads must be known nevertheless.
        let shape = look_through(sql, catalog, tables);
        return Shape {
            opaque: Some(reason.to_owned()),
            refused: shape.refused,
            ..Shape::default()
        };
    }
    look_through(sql, catalog, tables)
}

/// Why it cannot be said what a view's definition reads, besides what the catalog tells.
pub(super) fn opaque(sql: &str, catalog: &Catalog) -> Option<String> {
    let shape = look_through(sql.trim_end_matches(';'), catalog, &[]);
    shape.opaque.or(shape.refused.map(str::to_owned))
}

fn look_through(sql: &str, catalog: &Catalog, tables: &[TableDef]) -> Shape {
    let dialect = PostgreSqlDialect {};
    let unclear = |reason: &str| Shape {
        opaque: Some(reason.to_owned()),
        ..Shape::default()
    };
    if sql.len() > limits::CAPTURED_SQL_BYTES {
        return unclear("the statement is too long to be looked through");
    }
    let Ok(tokens) = Tokenizer::new(&dialect, sql).tokenize() else {
        return refusing(sql, unclear("its text is not understood"));
    };
    let operators = tokens.iter().filter(|token| nests(token)).count();
    if operators > limits::CAPTURED_OPERATORS {
        return refusing(
            sql,
            unclear("the statement has too many conditions to be looked through"),
        );
    }
    stacker::grow(STACK, || {
        let parser = Parser::new(&dialect).with_tokens(tokens);
        let parsed = { parser }.parse_statements();
        let Ok(parsed) = parsed else {
            return refusing(sql, unclear("its text is not understood"));
        };
        match parsed.as_slice() {
            [Statement::Query(query)] => Walk::new(catalog, tables).finish(query),
            _ => Shape {
                refused: Some(ONE_QUERY),
                ..Shape::default()
            },
        }
    })
}

const ONE_QUERY: &str = "it is not one SELECT";
const WRITES: &str = "it writes";
const SETS: &str = "it changes settings";

/// A text that is not understood is sent if its first word reads, and if it changes no setting.
/// Postgres takes one statement at a time, and the connection only reads.
fn refusing(sql: &str, mut shape: Shape) -> Shape {
    let text = sql.to_ascii_lowercase();
    let reads = ["select", "with", "values", "table", "("];
    if text.contains("set_config") {
        shape.refused = Some(SETS);
    } else if !reads.iter().any(|word| text.trim_start().starts_with(word)) {
        shape.refused = Some(ONE_QUERY);
    }
    shape
}

/// Whether a token may make the parsed statement one level deeper.
fn nests(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && matches!(
                    word.value.to_ascii_uppercase().as_str(),
                    "AND"
                        | "OR"
                        | "NOT"
                        | "UNION"
                        | "INTERSECT"
                        | "EXCEPT"
                        | "IS"
                        | "IN"
                        | "LIKE"
                        | "ILIKE"
                        | "SIMILAR"
                        | "BETWEEN"
                        | "COLLATE"
                        | "AT"
                        | "OPERATOR"
                )
        }
        Token::Whitespace(_)
        | Token::Comma
        | Token::Number(..)
        | Token::Placeholder(_)
        | Token::SingleQuotedString(_)
        | Token::Period
        | Token::RParen
        | Token::RBracket => false,
        // Within parentheses the parser counts by itself.
        Token::LParen => false,
        _ => true,
    }
}

struct Walk<'a> {
    catalog: &'a Catalog,
    tables: &'a [TableDef],
    shape: Shape,
    /// Names of WITH queries, of the whole statement so far.
    named: HashSet<String>,
    /// How often a relation is named without having been accounted for, as it is written.
    unaccounted: HashMap<Vec<String>, isize>,
    /// Whether which rows come depends on more than conditions.
    uneven: bool,
}

impl<'a> Walk<'a> {
    fn new(catalog: &'a Catalog, tables: &'a [TableDef]) -> Walk<'a> {
        Walk {
            catalog,
            tables,
            shape: Shape::default(),
            named: HashSet::new(),
            unaccounted: HashMap::new(),
            uneven: false,
        }
    }

    fn finish(mut self, query: &Query) -> Shape {
        if query.visit(&mut self).is_break() {
            self.opaque("it has a part that is not understood".to_owned());
        }
        let left = std::mem::take(&mut self.unaccounted);
        for (name, _) in left.into_iter().filter(|(_, times)| *times > 0) {
            self.read(&name, Vec::new());
        }
        let mut shape = self.shape;
        if self.uneven {
            shape.reads.iter_mut().for_each(|reads| reads.equal.clear());
        }
        let mut kept: Vec<Reads> = Vec::with_capacity(shape.reads.len());
        for reads in shape.reads {
            if !kept.contains(&reads) {
                kept.push(reads);
            }
        }
        shape.reads = kept;
        shape.lost.sort();
        shape.lost.dedup();
        shape
    }

    fn opaque(&mut self, reason: String) {
        self.shape.opaque.get_or_insert(reason);
    }

    fn refuse(&mut self, reason: &'static str) {
        self.shape.refused.get_or_insert(reason);
    }

    /// A relation is read, of which these conditions say which rows count.
    fn read(&mut self, name: &[String], equal: Vec<(usize, super::operand::Operand)>) {
        let catalog = self.catalog;
        let Some(relation) = catalog.find(name) else {
            if !matches!(name, [name] if self.named.contains(name)) {
                let name = name.join(".");
                self.opaque(format!("`{name}` was not there when the app started"));
            }
            return;
        };
        if let Some(reason) = &relation.opaque {
            let name = name.join(".");
            self.opaque(format!("`{name}` is opaque: {reason}"));
        }
        let reads = &mut self.shape.reads;
        reads.extend(relation.own.map(|table| Reads { table, equal }));
        reads.extend(relation.others.iter().map(|table| Reads::whole(*table)));
        let lost: &[Lost] = &relation.lost;
        self.shape.lost.extend_from_slice(lost);
    }

    fn call(&mut self, name: &ObjectName) {
        let quoted = name.0.len() > 1
            || name.0.iter().any(|part| {
                part.as_ident()
                    .is_none_or(|ident| ident.quote_style.is_some())
            });
        let known = match names::parts(name) {
            Some(parts) => self.catalog.function(&parts, quoted),
            None => Function::Unknown,
        };
        match known {
            Function::Pure => {}
            Function::Timely => {
                self.shape.timely.get_or_insert_with(|| names::last(name));
            }
            Function::Setting => self.refuse(SETS),
            Function::Unknown => {
                let name = names::last(name);
                self.opaque(format!("it calls `{name}`, which may read anything"));
            }
        }
    }

    /// A function that is written as syntax of its own, but found by its name.
    fn call_plain(&mut self, name: &str) {
        self.call(&ObjectName::from(vec![Ident::new(name)]));
    }

    fn select(&mut self, select: &Select) {
        if select.into.is_some() {
            self.refuse(WRITES);
        }
        let mut sources = Vec::new();
        let mut names = Vec::new();
        for from in &select.from {
            self.sources(from, true, &mut sources, &mut names);
        }
        let conditions = Conditions::of(select, &sources).equal;
        for (at, name) in names.into_iter().enumerate() {
            let Some(name) = name else { continue };
            *self.unaccounted.entry(name.clone()).or_default() -= 1;
            let mut equal = Vec::new();
            if let Some(table) = sources[at].table {
                let own = conditions.iter().filter(|(place, _)| place.source == at);
                let fitting = own.filter(|(place, operand)| {
                    operand.fits(&table.columns[place.column], self.catalog)
                });
                equal.extend(fitting.map(|(place, operand)| (place.column, operand.clone())));
            }
            self.read(&name, equal);
        }
    }

    /// The sources of one item of a FROM, and beside each the relation that it names.
    fn sources(
        &mut self,
        from: &TableWithJoins,
        addressed: bool,
        sources: &mut Vec<Source<'a>>,
        names: &mut Vec<Option<Vec<String>>>,
    ) {
        let joined = from.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&from.relation).chain(joined) {
            match factor {
                TableFactor::NestedJoin {
                    table_with_joins,
                    alias,
                } => {
                    let addressed = addressed && alias.is_none();
                    self.sources(table_with_joins, addressed, sources, names);
                }
                factor => {
                    let (source, name) = self.source(factor, addressed);
                    sources.push(source);
                    names.push(name);
                }
            }
        }
    }

    fn source(
        &mut self,
        factor: &TableFactor,
        addressed: bool,
    ) -> (Source<'a>, Option<Vec<String>>) {
        let mut source = Source {
            alias: None,
            schema: None,
            table: None,
        };
        let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = factor
        else {
            let alias = match factor {
                TableFactor::Derived { alias, .. }
                | TableFactor::Function { alias, .. }
                | TableFactor::UNNEST { alias, .. }
                | TableFactor::Table { alias, .. } => alias.as_ref(),
                _ => None,
            };
            source.alias = alias.and_then(|alias| names::fold(&alias.name));
            return (source, None);
        };
        let Some(parts) = names::parts(name) else {
            return (source, None);
        };
        let renamed = alias
            .as_ref()
            .is_some_and(|alias| !alias.columns.is_empty());
        source.alias = match alias {
            Some(alias) => names::fold(&alias.name),
            None => parts.last().cloned(),
        };
        if let ([schema, _], None) = (parts.as_slice(), alias) {
            source.schema = Some(schema.clone());
        }
        let with = matches!(parts.as_slice(), [name] if self.named.contains(name));
        if addressed && !renamed && !with {
            let own = self.catalog.find(&parts).and_then(|relation| relation.own);
            source.table = own.and_then(|id| self.tables.get(id.0 as usize));
        }
        (source, Some(parts))
    }

    /// What a query's body is besides SELECTs, which are visited by themselves.
    fn body(&mut self, body: &SetExpr) {
        let mut waiting = vec![body];
        while let Some(body) = waiting.pop() {
            match body {
                SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => {}
                SetExpr::SetOperation { left, right, .. } => waiting.extend([&**left, &**right]),
                SetExpr::Table(table) => {
                    let parts = [&table.schema_name, &table.table_name];
                    let parts: Vec<String> = parts.into_iter().flatten().cloned().collect();
                    // How it was quoted is not known any more.
                    let plain = parts.iter().all(|part| {
                        part.bytes()
                            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                    });
                    match plain {
                        true => self.read(&parts, Vec::new()),
                        false => self.opaque("it reads a table by TABLE".to_owned()),
                    }
                }
                SetExpr::Insert(_)
                | SetExpr::Update(_)
                | SetExpr::Delete(_)
                | SetExpr::Merge(_) => self.refuse(WRITES),
            }
        }
    }
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            match names::fold(&table.alias.name) {
                Some(name) => drop(self.named.insert(name)),
                None => self.opaque("it has a name that is too long".to_owned()),
            }
        }
        let skips = |lock: &sqlparser::ast::LockClause| lock.nonblock == Some(NonBlock::SkipLocked);
        self.uneven |= query.locks.iter().any(skips);
        self.body(&query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
        // The whole is visited as a query, so this is one inside of it.
        self.refuse(WRITES);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        match names::parts(relation) {
            Some(parts) => *self.unaccounted.entry(parts).or_default() += 1,
            None => self.opaque("it has a name that is not understood".to_owned()),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table {
                name, args, sample, ..
            } => {
                self.uneven |= sample.is_some();
                if args.is_some() {
                    if let Some(parts) = names::parts(name) {
                        *self.unaccounted.entry(parts).or_default() -= 1;
                    }
                    self.call(name);
                }
            }
            TableFactor::Derived { sample, .. } => self.uneven |= sample.is_some(),
            TableFactor::Function { name, .. } => self.call(name),
            TableFactor::UNNEST { .. } | TableFactor::NestedJoin { .. } => {}
            _ => self.opaque("it has an item in FROM that is not understood".to_owned()),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(Called { name, .. }) => self.call(name),
            Expr::Ceil { .. } => {
                self.call_plain("ceil");
                self.call_plain("ceiling");
            }
            Expr::Floor { .. } => self.call_plain("floor"),
            Expr::Substring { .. } => {
                self.call_plain("substring");
                self.call_plain("substr");
            }
            Expr::Overlay { .. } => self.call_plain("overlay"),
            Expr::Position { .. } => self.call_plain("position"),
            Expr::BinaryOp { op, .. }
            | Expr::AnyOp { compare_op: op, .. }
            | Expr::AllOp { compare_op: op, .. } => self.operator(op),
            Expr::UnaryOp { op, .. } => self.operator_named(&op.to_string()),
            Expr::Cast { data_type, .. } => self.cast(data_type),
            Expr::TypedString(typed) => self.cast(&typed.data_type),
            Expr::Convert { .. } | Expr::Lambda(_) | Expr::Dictionary(_) | Expr::Map(_) => {
                self.opaque("it has a part that is not understood".to_owned());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_ident(&mut self, ident: &Ident) -> ControlFlow<()> {
        let attribute = names::fold(ident).filter(|name| self.catalog.is_attribute(name));
        if let Some(name) = attribute {
            self.opaque(format!("`{name}` may be a function of a row"));
        }
        ControlFlow::Continue(())
    }
}

impl Walk<'_> {
    fn operator(&mut self, operator: &sqlparser::ast::BinaryOperator) {
        use sqlparser::ast::BinaryOperator as Op;
        let Op::PGCustomBinaryOperator(parts) = operator else {
            return self.operator_named(&operator.to_string());
        };
        if !matches!(parts.as_slice(), [schema, _] if schema == "pg_catalog") {
            self.opaque(format!("it uses `{operator}`, which may read anything"));
        }
    }

    fn operator_named(&mut self, name: &str) {
        if self.catalog.is_defined_operator(name) {
            self.opaque(format!(
                "it uses the operator `{name}`, which may read anything"
            ));
        }
    }

    fn cast(&mut self, to: &sqlparser::ast::DataType) {
        let name = names::custom_type(to).map(names::last);
        if let Some(name) = name.filter(|name| self.catalog.is_checked_type(name)) {
            self.opaque(format!(
                "it casts to `{name}`, whose checks may read anything"
            ));
        }
    }
}
