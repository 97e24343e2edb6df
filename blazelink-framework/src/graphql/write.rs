//! Prints what was read, as JSON, straight into the answer's bytes. Synchronous and total: every
//! field of the plan is printed once per row, and a field that failed is null with an error.

use async_graphql::Pos;
use blazelink_codes::limits;

use super::load_page::too_long;
use super::loaded::{Loaded, LoadedMany, LoadedOne, LoadedPage, LoadedRoot, LoadedRows};
use super::plan::{
    Field, ManyField, OneField, PageField, PageRoot, PageSelection, Plan, RefField, RefSelection,
    Root, RowField, RowRoot, RowSelection,
};
use super::response::write_locations;
use crate::data::{Batch, RowStatement};
use crate::table::{TableDef, TableManager};
use crate::value::{write_integer, write_string, write_value};

/// The body of an answer: `data`, then `errors` if there are any.
pub(super) fn body(manager: &TableManager, plan: &Plan, roots: &[LoadedRoot]) -> Vec<u8> {
    let mut writer = Writer {
        manager,
        out: Vec::with_capacity(1_024),
        path: Vec::new(),
        errors: Vec::new(),
        count: 0,
    };
    writer.out.extend_from_slice(b"{\"data\":");
    writer.object(&plan.roots, |writer, at, field| {
        writer.root(field, &roots[at]);
    });
    if writer.count > 0 {
        writer.out.extend_from_slice(b",\"errors\":[");
        writer.out.append(&mut writer.errors);
        writer.out.push(b']');
    }
    writer.out.push(b'}');
    writer.out
}

pub(super) struct Writer<'a> {
    pub(super) manager: &'a TableManager,
    pub(super) out: Vec<u8>,
    pub(super) path: Vec<Step<'a>>,
    /// The errors so far, separated by commas.
    errors: Vec<u8>,
    count: usize,
}

/// A step of the path to a field.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Name(&'a str),
    Item(usize),
}

/// A row of a batch, with the statement that read it.
#[derive(Clone, Copy)]
pub(super) struct RowOf<'a> {
    pub(super) batch: &'a Batch,
    pub(super) statement: &'a RowStatement,
    pub(super) row: usize,
}

impl<'a> RowOf<'a> {
    fn text(self, column: usize) -> Option<&'a str> {
        self.batch.text(self.row, self.statement.slot(column)?)
    }
}

/// What stands behind a reference: the key, and the row if it was read and is there.
#[derive(Clone, Copy)]
struct Reference<'a> {
    /// The row that holds the key, in these columns of this table.
    key: RowOf<'a>,
    key_table: &'a TableDef,
    key_columns: &'a [usize],
    row: Option<(RowOf<'a>, &'a LoadedRows)>,
}

impl<'a> Writer<'a> {
    /// `{..}`, each field printed by `each`.
    pub(super) fn object<T>(
        &mut self,
        fields: &'a [Field<T>],
        mut each: impl FnMut(&mut Self, usize, &'a Field<T>),
    ) {
        self.out.push(b'{');
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&field.json);
            self.path.push(Step::Name(&field.name));
            each(self, at, field);
            self.path.pop();
        }
        self.out.push(b'}');
    }

    pub(super) fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    /// Null, and an error at the current path.
    pub(super) fn fail(&mut self, message: &str, at: Pos) {
        self.null();
        self.count += 1;
        if self.count > limits::ANSWER_ERRORS {
            return;
        }
        if self.count > 1 {
            self.errors.push(b',');
        }
        self.errors.extend_from_slice(b"{\"message\":");
        write_string(message, &mut self.errors);
        self.errors.push(b',');
        write_locations(&[at], &mut self.errors);
        self.errors.extend_from_slice(b",\"path\":[");
        for (at, step) in self.path.iter().enumerate() {
            if at > 0 {
                self.errors.push(b',');
            }
            match step {
                Step::Name(name) => write_string(name, &mut self.errors),
                Step::Item(item) => write_integer(*item as i64, &mut self.errors),
            }
        }
        self.errors.extend_from_slice(b"]}");
    }

    fn root(&mut self, field: &'a Field<Root>, loaded: &'a LoadedRoot) {
        match (&field.what, loaded) {
            (_, LoadedRoot::Failed(message)) => self.fail(message, field.at),
            (Root::Row(root), LoadedRoot::Row(rows)) => self.row_root(root, rows),
            (Root::Page(root), LoadedRoot::Page(page)) => self.page_root(root, page),
            (Root::Virtual(root), LoadedRoot::Virtual(fields)) => self.virtual_root(root, fields),
            (Root::Introspection(_), LoadedRoot::Introspection(value)) => {
                let written = serde_json::to_writer(&mut self.out, value);
                debug_assert!(written.is_ok(), "introspection answers are JSON");
            }
            _ => write_string("Query", &mut self.out),
        }
    }

    fn row_root(&mut self, root: &'a RowRoot, rows: &'a LoadedRows) {
        let row = RowOf {
            batch: &rows.batch,
            statement: &root.statement,
            row: 0,
        };
        self.row(row, &root.selection, rows.selections.first());
    }

    pub(super) fn row(
        &mut self,
        row: RowOf<'a>,
        selection: &'a RowSelection,
        loaded: Option<&'a Vec<Loaded>>,
    ) {
        let table = self.manager.table(selection.table);
        self.object(&selection.fields, |writer, at, field| {
            let loaded = loaded.and_then(|loaded| loaded.get(at));
            match (&field.what, loaded) {
                (RowField::Typename, _) => write_string(&table.entity, &mut writer.out),
                (_, Some(Loaded::Failed(message))) => writer.fail(message, field.at),
                // What the loader has not looked at is not printed: it knows who may see it.
                (RowField::Column(column), Some(Loaded::Plain)) => match row.text(*column) {
                    Some(text) => write_value(&table.columns[*column].kind, text, &mut writer.out),
                    None => writer.null(),
                },
                (RowField::One(one), Some(Loaded::One(loaded))) => {
                    writer.one(row, table, one, loaded);
                }
                (RowField::Many(many), Some(Loaded::Many(loaded))) => {
                    writer.many(row, many, loaded, field.at);
                }
                (RowField::Computed(computed), Some(Loaded::Computed(loaded))) => {
                    writer.computed(row.row, computed, loaded, field.at);
                }
                _ => writer.null(),
            }
        });
    }

    fn one(
        &mut self,
        parent: RowOf<'a>,
        table: &'a TableDef,
        field: &'a OneField,
        loaded: &'a LoadedOne,
    ) {
        let row = loaded.of.get(parent.row).copied().flatten();
        let row = row.zip(field.statement.as_ref()).map(|(row, statement)| {
            let row = RowOf {
                batch: &loaded.rows.batch,
                statement,
                row: row as usize,
            };
            (row, &loaded.rows)
        });
        let target = self.manager.table(field.target);
        let reference = match (&field.key, row) {
            (Some(columns), row) => {
                let has_key = columns.iter().all(|&column| parent.text(column).is_some());
                if !has_key || field.guarded && row.is_none() {
                    return self.null();
                }
                Reference {
                    key: parent,
                    key_table: table,
                    key_columns: columns,
                    row,
                }
            }
            (None, Some((row, rows))) => Reference {
                key: row,
                key_table: target,
                key_columns: &target.key,
                row: Some((row, rows)),
            },
            (None, None) => return self.null(),
        };
        self.reference(reference, &field.selection);
    }

    fn reference(&mut self, reference: Reference<'a>, selection: &'a RefSelection) {
        let table = self.manager.table(selection.entity);
        self.object(&selection.fields, |writer, _, field| match &field.what {
            RefField::Typename => write_string(&table.ref_type(), &mut writer.out),
            RefField::Entity => write_string(&table.entity, &mut writer.out),
            RefField::Modifiers => writer.out.extend_from_slice(b"\"[]\""),
            RefField::Dependencies(fields) => writer.identifiers(&table.carried, fields),
            RefField::ObjId => writer.key(reference),
            RefField::Row { number, selection } => match reference.row {
                Some((row, rows)) => writer.row(row, selection, rows.selections.get(*number)),
                None => writer.null(),
            },
        });
    }

    /// As [`crate::object_id::Key::write_json`].
    fn key(&mut self, reference: Reference<'a>) {
        let list = reference.key_columns.len() > 1;
        if list {
            self.out.push(b'[');
        }
        for (at, &column) in reference.key_columns.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            let kind = &reference.key_table.columns[column].kind;
            match reference.key.text(column) {
                None => self.null(),
                Some(text) if kind.is_integer() => write_value(kind, text, &mut self.out),
                Some(text) => match kind.atom(text) {
                    crate::object_id::Atom::Text(text) => write_string(&text, &mut self.out),
                    crate::object_id::Atom::Int(number) => write_integer(number, &mut self.out),
                },
            }
        }
        if list {
            self.out.push(b']');
        }
    }

    fn page_root(&mut self, root: &'a PageRoot, page: &'a LoadedPage) {
        let table = self.manager.table(root.table);
        self.page(&root.selection, |writer, field| match &field.what {
            PageField::Typename => write_string(&table.page_type(), &mut writer.out),
            PageField::Next => writer.cursor(page.next.as_deref()),
            PageField::Count => write_integer(page.count.unwrap_or(0), &mut writer.out),
            PageField::Items(selection) => {
                let items = root.items.as_ref();
                let rows = (0..page.items.batch.len()).filter_map(|row| {
                    let row = RowOf {
                        batch: &page.items.batch,
                        statement: items?,
                        row,
                    };
                    Some(Reference {
                        key: row,
                        key_table: table,
                        key_columns: &table.key,
                        row: Some((row, &page.items)),
                    })
                });
                writer.items(rows, selection);
            }
        });
    }

    /// `{..}` of a page's fields; of a list the items alone.
    fn page(
        &mut self,
        selection: &'a PageSelection,
        mut each: impl FnMut(&mut Self, &'a Field<PageField>),
    ) {
        match selection.fields.first() {
            Some(items) if selection.list => each(self, items),
            _ => self.object(&selection.fields, |writer, _, field| each(writer, field)),
        }
    }

    fn cursor(&mut self, cursor: Option<&str>) {
        match cursor {
            Some(cursor) => write_string(cursor, &mut self.out),
            None => self.null(),
        }
    }

    fn many(&mut self, parent: RowOf<'a>, many: &'a ManyField, loaded: &'a LoadedMany, at: Pos) {
        let number = loaded.numbers.get(parent.row).copied().flatten();
        let more = number.and_then(|number| loaded.more.binary_search(&number).ok());
        if many.selection.list && more.is_some() {
            return self.fail(&too_long(), at);
        }
        let table = self.manager.table(many.target);
        self.page(&many.selection, |writer, field| match &field.what {
            PageField::Typename => write_string(&table.page_type(), &mut writer.out),
            PageField::Next => {
                let next = more.and_then(|at| loaded.next.get(at)?.as_deref());
                writer.cursor(next);
            }
            PageField::Count => {
                let count = number.and_then(|number| loaded.counts.get(number as usize));
                write_integer(count.copied().unwrap_or(0), &mut writer.out);
            }
            PageField::Items(selection) => {
                let manager = writer.manager;
                let items = number
                    .into_iter()
                    .flat_map(|number| loaded.items.rows(number));
                let references =
                    items.filter_map(|item| item_reference(manager, many, loaded, item));
                writer.items(references, selection);
            }
        });
    }

    fn items(
        &mut self,
        references: impl Iterator<Item = Reference<'a>>,
        selection: &'a RefSelection,
    ) {
        self.out.push(b'[');
        for (at, reference) in references.enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.path.push(Step::Item(at));
            self.reference(reference, selection);
            self.path.pop();
        }
        self.out.push(b']');
    }
}

/// What stands behind one item of a to-many relation.
fn item_reference<'a>(
    manager: &'a TableManager,
    many: &'a ManyField,
    loaded: &'a LoadedMany,
    item: usize,
) -> Option<Reference<'a>> {
    let statement = many.items.as_ref()?;
    let target = manager.table(many.target);
    let (Some(junction), Some((batch, of))) = (&many.junction, &loaded.junction) else {
        let row = RowOf {
            batch: &loaded.rows.batch,
            statement,
            row: item,
        };
        return Some(Reference {
            key: row,
            key_table: target,
            key_columns: &target.key,
            row: Some((row, &loaded.rows)),
        });
    };
    let row = of.get(item).copied().flatten();
    let row = row
        .zip(junction.statement.as_ref())
        .map(|(row, statement)| {
            let row = RowOf {
                batch: &loaded.rows.batch,
                statement,
                row: row as usize,
            };
            (row, &loaded.rows)
        });
    Some(Reference {
        key: RowOf {
            batch,
            statement,
            row: item,
        },
        key_table: manager.table(many.holder),
        key_columns: &junction.far,
        row,
    })
}
