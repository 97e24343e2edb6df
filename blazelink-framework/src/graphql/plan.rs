//! What is to be done for an operation, decided before the first statement: merged fields in
//! document order, the tables, columns and statements behind them. Words only; `planner` makes it,
//! `load` and `write` follow it.

use async_graphql::parser::types::Field as DocumentField;
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;

use crate::data::{CountStatement, RowStatement, TypedStatement};
use crate::object_id::TableId;
use crate::table::Operation;

/// The roots of an operation.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) roots: Vec<Field<Root>>,
}

/// One field of an answer.
#[derive(Debug)]
pub(super) struct Field<T> {
    /// Its name in the answer.
    pub(super) name: String,
    /// The name as JSON, with the colon.
    pub(super) json: Vec<u8>,
    /// Where it first stands in the document.
    pub(super) at: Pos,
    pub(super) what: T,
}

/// A field of `Query` or `Mutation`.
#[derive(Debug)]
pub(super) enum Root {
    /// With the name of the type.
    Typename(&'static str),
    Row(Box<RowRoot>),
    Page(Box<PageRoot>),
    Virtual(Box<VirtualRoot>),
    Write(Box<WriteRoot>),
    /// `__schema` or `__type`; all fields that merge into it.
    Introspection(Vec<Positioned<DocumentField>>),
}

/// What tells apart different selections of one object.
#[derive(Debug)]
pub(super) struct Fingerprint {
    /// Of everything that the document says.
    pub(super) document: u64,
    /// The variables whose values belong to it too.
    pub(super) variables: Vec<Name>,
}

/// A root that reads one row.
#[derive(Debug)]
pub(super) struct RowRoot {
    pub(super) table: TableId,
    pub(super) fingerprint: Fingerprint,
    pub(super) identifier: Option<Positioned<Value>>,
    pub(super) statement: RowStatement,
    pub(super) selection: RowSelection,
}

/// A root that reads a page of a table.
#[derive(Debug)]
pub(super) struct PageRoot {
    pub(super) table: TableId,
    pub(super) fingerprint: Fingerprint,
    pub(super) arguments: PageArguments,
    pub(super) items: Option<RowStatement>,
    pub(super) count: Option<CountStatement>,
    pub(super) selection: PageSelection,
}

/// A root that answers a virtual table.
#[derive(Debug)]
pub(super) struct VirtualRoot {
    pub(super) table: TableId,
    pub(super) fingerprint: Fingerprint,
    pub(super) identifier: Option<Positioned<Value>>,
    pub(super) selection: RowSelection,
}

/// A root that writes a row.
#[derive(Debug)]
pub(super) struct WriteRoot {
    pub(super) table: TableId,
    pub(super) operation: Operation,
    pub(super) identifier: Option<Positioned<Value>>,
    pub(super) input: Option<Positioned<Value>>,
    /// Reads the row afterwards, if anything of it is asked for.
    pub(super) statement: Option<RowStatement>,
    pub(super) fields: Vec<Field<WrittenField>>,
}

/// Fields of what a mutation answers.
#[derive(Debug)]
pub(super) enum WrittenField {
    Typename,
    ObjId,
    Entity,
    Version,
    /// The row; `number` counts the selections of it.
    Row {
        number: usize,
        selection: RowSelection,
    },
}

/// The arguments of a page, with variables in them. A list has only the last two.
#[derive(Debug, Default)]
pub(super) struct PageArguments {
    pub(super) page: Option<Positioned<Value>>,
    pub(super) size: Option<Positioned<Value>>,
    pub(super) after: Option<Positioned<Value>>,
    pub(super) filter: Option<Positioned<Value>>,
    pub(super) order: Option<Positioned<Value>>,
}

/// Fields of a row's type.
#[derive(Debug)]
pub(super) struct RowSelection {
    pub(super) table: TableId,
    pub(super) fields: Vec<Field<RowField>>,
}

#[derive(Debug)]
pub(super) enum RowField {
    Typename,
    /// A column, by its position in the table.
    Column(usize),
    One(Box<OneField>),
    Many(Box<ManyField>),
    Computed(Box<ComputedField>),
}

/// A computed field.
#[derive(Debug)]
pub(super) struct ComputedField {
    /// Its position among the table's computed fields.
    pub(super) index: usize,
    /// The columns that it is given.
    pub(super) reads: Vec<usize>,
    pub(super) arguments: Vec<(&'static str, Option<Positioned<Value>>)>,
    pub(super) page: PageArguments,
    /// Reads the rows as values of the entity's `Model`, if the field needs them so.
    pub(super) typed: Option<TypedStatement>,
    pub(super) value: ValueSelection,
    /// Number of the places in `value` that are references.
    pub(super) references: usize,
}

/// What is asked for of a computed value.
#[derive(Debug)]
pub(super) enum ValueSelection {
    /// A scalar.
    Leaf,
    List(Box<ValueSelection>),
    Struct {
        name: &'static str,
        fields: Vec<Field<MemberField>>,
    },
    Page {
        name: String,
        fields: Vec<Field<ValuePageField>>,
        /// The items, where none are asked for but not everybody sees each of them: then they are
        /// read to be counted.
        counted: Option<Box<ValueSelection>>,
    },
    Row(Box<RowValue>),
    Virtual {
        table: TableId,
        fields: Vec<Field<IdField>>,
    },
}

#[derive(Debug)]
pub(super) enum MemberField {
    Typename,
    /// A member, by its position in the struct.
    Member(usize, ValueSelection),
}

#[derive(Debug)]
pub(super) enum ValuePageField {
    Typename,
    Count,
    /// Computed pages have no order that could be continued.
    Next,
    Items(ValueSelection),
}

/// A reference in a computed value.
#[derive(Debug)]
pub(super) struct RowValue {
    /// Its number among the references of the field.
    pub(super) number: usize,
    pub(super) selection: RefSelection,
    /// Reads the rows, if anything of them is asked for, or not everybody sees each of them.
    pub(super) statement: Option<RowStatement>,
    /// Whether the reference is null where no row was read.
    pub(super) guarded: bool,
}

/// A to-one relation.
#[derive(Debug)]
pub(super) struct OneField {
    /// Its position among the table's relations.
    pub(super) relation: usize,
    pub(super) target: TableId,
    /// This table's columns.
    pub(super) from: Vec<usize>,
    /// The table whose rows hold `from`: the target, or the first table of a chain.
    pub(super) holder: TableId,
    /// The holder's columns, pair by pair.
    pub(super) to: Vec<usize>,
    /// This table's columns that hold the target's key, in key order; nothing if the key is only
    /// known by reading the row.
    pub(super) key: Option<Vec<usize>>,
    /// Reads the rows, if anything of them is asked for, or not everybody sees each of them.
    pub(super) statement: Option<RowStatement>,
    /// Whether the reference is null where no row was read, though its key is known.
    pub(super) guarded: bool,
    pub(super) selection: RefSelection,
}

/// A to-many relation.
#[derive(Debug)]
pub(super) struct ManyField {
    /// Its position among the table's relations.
    pub(super) relation: usize,
    pub(super) target: TableId,
    pub(super) from: Vec<usize>,
    /// The table whose rows hold `from`: the target, the junction, or the first table of a chain.
    pub(super) holder: TableId,
    /// The holder's columns, pair by pair.
    pub(super) to: Vec<usize>,
    pub(super) arguments: PageArguments,
    /// Reads the target's rows, or the junction's, if items are asked for.
    pub(super) items: Option<RowStatement>,
    pub(super) count: Option<CountStatement>,
    pub(super) junction: Option<Junction>,
    pub(super) selection: PageSelection,
}

/// The way on from a junction.
#[derive(Debug)]
pub(super) struct Junction {
    /// The junction's columns that hold the target's key, in key order.
    pub(super) far: Vec<usize>,
    /// Reads the target's rows, if anything of them is asked for.
    pub(super) statement: Option<RowStatement>,
}

/// Fields of a page, or the items of a list.
#[derive(Debug)]
pub(super) struct PageSelection {
    /// Whether it is a list: then its only field is the items.
    pub(super) list: bool,
    pub(super) fields: Vec<Field<PageField>>,
}

#[derive(Debug)]
pub(super) enum PageField {
    Typename,
    Count,
    /// The cursor behind which the page is continued.
    Next,
    Items(RefSelection),
}

/// Fields of a reference.
#[derive(Debug)]
pub(super) struct RefSelection {
    pub(super) entity: TableId,
    pub(super) fields: Vec<Field<RefField>>,
}

#[derive(Debug)]
pub(super) enum RefField {
    Typename,
    ObjId,
    Entity,
    Modifiers,
    Dependencies(Vec<Field<IdField>>),
    /// The row itself; `number` counts the selections of the same rows.
    Row {
        number: usize,
        selection: RowSelection,
    },
}

/// Fields of an `ObjectId` that leads to no row.
#[derive(Debug)]
pub(super) enum IdField {
    Typename,
    ObjId,
    Entity,
    Modifiers,
    Dependencies(Vec<Field<IdField>>),
}

impl ValueSelection {
    /// Whether the number of a page's items is asked for.
    pub(super) fn is_counted(&self) -> bool {
        self.asks(|what| matches!(what, ValuePageField::Count))
    }

    /// Whether items of a page are asked for.
    pub(super) fn has_items(&self) -> bool {
        self.asks(|what| matches!(what, ValuePageField::Items(_)))
    }

    fn asks(&self, what: impl Fn(&ValuePageField) -> bool) -> bool {
        let ValueSelection::Page { fields, .. } = self else {
            return false;
        };
        fields.iter().any(|field| what(&field.what))
    }

    /// What is asked for of a page's items, each time that it is.
    pub(super) fn items<'p>(
        fields: &'p [Field<ValuePageField>],
        counted: &'p Option<Box<ValueSelection>>,
    ) -> impl Iterator<Item = &'p ValueSelection> {
        let items = fields.iter().filter_map(|field| match &field.what {
            ValuePageField::Items(item) => Some(item),
            ValuePageField::Typename | ValuePageField::Count | ValuePageField::Next => None,
        });
        items.chain(counted.as_deref())
    }
}

impl RefSelection {
    /// The selections of the row, in the order of their numbers.
    pub(super) fn rows(&self) -> impl Iterator<Item = &RowSelection> {
        self.fields.iter().filter_map(|field| match &field.what {
            RefField::Row { selection, .. } => Some(selection),
            _ => None,
        })
    }
}

impl PageSelection {
    /// Whether the page's rows are needed.
    pub(super) fn has_items(&self) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|field| matches!(field.what, PageField::Items(_) | PageField::Next))
    }

    pub(super) fn has_count(&self) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|field| matches!(field.what, PageField::Count))
    }

    pub(super) fn has_next(&self) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|field| matches!(field.what, PageField::Next))
    }

    /// The selections of the items' rows, in the order of their numbers.
    pub(super) fn rows(&self) -> impl Iterator<Item = &RowSelection> {
        self.fields
            .iter()
            .filter_map(|field| match &field.what {
                PageField::Items(items) => Some(items.rows()),
                _ => None,
            })
            .flatten()
    }
}
