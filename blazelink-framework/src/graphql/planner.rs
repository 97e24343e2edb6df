//! Makes the plan of an operation: finds the tables, columns and relations behind its fields, and
//! writes their statements. Pure. The document is valid; what still does not fit is skipped, not
//! trusted. Relations, computed fields and mutations have files beside this one.

use std::hash::{DefaultHasher, Hash, Hasher};

use async_graphql::parser::types::{
    ExecutableDocument, Field as DocumentField, OperationDefinition, OperationType, SelectionSet,
};
use async_graphql::{Name, Pos};

use super::collect::{Collector, Merged};
use super::plan::{
    Field, Fingerprint, IdField, PageArguments, PageField, PageRoot, PageSelection, Plan, RefField,
    RefSelection, Root, RowField, RowRoot, RowSelection,
};
use super::variables::{Variables, names_in};
use crate::data::{CountStatement, RowStatement, Select};
use crate::table::{TableDef, TableManager};

/// Plans an operation. The second value says whether the plan is the same for all variables.
pub(super) fn plan(
    manager: &TableManager,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> (Plan, bool) {
    let mut planner = Planner {
        manager,
        collector: Collector::new(&document.fragments, variables),
        fingerprint: DefaultHasher::new(),
        named: Vec::new(),
    };
    let merged = planner
        .collector
        .fields(&[&operation.selection_set.node], root_type(operation));
    let mut roots = Vec::new();
    for merged in &merged {
        let root = match operation.ty {
            OperationType::Mutation => planner.mutation(merged),
            OperationType::Query | OperationType::Subscription => planner.root(merged),
        };
        if let Some(root) = root {
            roots.push(field(merged, root));
        }
    }
    (Plan { roots }, !planner.collector.varies)
}

/// Name of the type whose fields an operation's are.
pub(super) fn root_type(operation: &OperationDefinition) -> &'static str {
    match operation.ty {
        OperationType::Mutation => "Mutation",
        OperationType::Query | OperationType::Subscription => "Query",
    }
}

pub(super) struct Planner<'a> {
    pub(super) manager: &'a TableManager,
    collector: Collector<'a>,
    /// Of the root that is being planned.
    fingerprint: DefaultHasher,
    named: Vec<Name>,
}

impl<'a> Planner<'a> {
    fn root(&mut self, merged: &Merged<'a>) -> Option<Root> {
        let first = merged.fields.first()?;
        let name = first.node.name.node.as_str();
        match name {
            "__typename" => return Some(Root::Typename("Query")),
            "__schema" | "__type" => {
                let fields = merged.fields.iter().map(|&field| field.clone());
                return Some(Root::Introspection(fields.collect()));
            }
            _ => {}
        }
        self.fingerprint = DefaultHasher::new();
        self.named.clear();
        self.remember(merged);
        let tables = self.manager.tables();
        if let Some(table) = tables.iter().find(|t| t.row_root() == name) {
            let selection = self.rows(&merged.selections(), table);
            let select = self.select(table, [&selection].into_iter());
            return Some(Root::Row(Box::new(RowRoot {
                table: table.id,
                fingerprint: self.take_fingerprint(),
                identifier: first.node.get_argument("identifier").cloned(),
                statement: RowStatement::by_key(table, select),
                selection,
            })));
        }
        let mut virtual_tables = self.manager.virtual_tables().iter();
        if let Some(table) = virtual_tables.find(|t| t.row_root() == name) {
            return Some(Root::Virtual(Box::new(self.virtual_root(table, merged))));
        }
        let table = tables.iter().find(|t| t.page_root() == name)?;
        let selection = self.page(&merged.selections(), table, table.list);
        let items = selection.has_items();
        let items = items.then(|| self.select(table, selection.rows()));
        Some(Root::Page(Box::new(PageRoot {
            table: table.id,
            fingerprint: self.take_fingerprint(),
            arguments: page_arguments(&first.node),
            items: items.map(|select| RowStatement::page(table, select)),
            count: selection.has_count().then(|| CountStatement::all(table)),
            selection,
        })))
    }

    pub(super) fn rows(&mut self, sets: &[&'a SelectionSet], table: &TableDef) -> RowSelection {
        let fields = self.fields(sets, &table.entity, |planner, merged| {
            let first = &merged.fields.first()?.node;
            let name = first.name.node.as_str();
            if name == "__typename" {
                return Some(RowField::Typename);
            }
            if let Some((column, _)) = table.exposed().find(|(_, c)| c.field() == name) {
                return Some(RowField::Column(column));
            }
            if let Some(at) = table.relations.iter().position(|r| r.name == name) {
                return Some(planner.relation(table, at, &merged.selections(), first));
            }
            let index = table.computed.iter().position(|c| c.name == name)?;
            planner.computed(table, index, merged)
        });
        RowSelection {
            table: table.id,
            fields,
        }
    }

    /// The fields of a page, or what is asked of the items of a list.
    pub(super) fn page(
        &mut self,
        sets: &[&'a SelectionSet],
        table: &TableDef,
        list: bool,
    ) -> PageSelection {
        if list {
            let what = PageField::Items(self.references(sets, table, &mut 0));
            let fields = vec![Field {
                name: String::new(),
                json: Vec::new(),
                at: Pos::default(),
                what,
            }];
            return PageSelection { list, fields };
        }
        let mut rows = 0;
        let fields = self.fields(sets, &table.page_type(), |planner, merged| {
            Some(match name_of(merged) {
                "__typename" => PageField::Typename,
                "count" => PageField::Count,
                "next" => PageField::Next,
                "items" => {
                    let sets = merged.selections();
                    PageField::Items(planner.references(&sets, table, &mut rows))
                }
                _ => return None,
            })
        });
        PageSelection { list, fields }
    }

    pub(super) fn references(
        &mut self,
        sets: &[&'a SelectionSet],
        table: &TableDef,
        rows: &mut usize,
    ) -> RefSelection {
        let fields = self.fields(sets, &table.ref_type(), |planner, merged| {
            let sets = merged.selections();
            Some(match name_of(merged) {
                "__typename" => RefField::Typename,
                "obj_id" => RefField::ObjId,
                "entity" => RefField::Entity,
                "modifiers" => RefField::Modifiers,
                "dependencies" => RefField::Dependencies(planner.identifiers(&sets)),
                "row" => {
                    let number = *rows;
                    *rows += 1;
                    let selection = planner.rows(&sets, table);
                    RefField::Row { number, selection }
                }
                _ => return None,
            })
        });
        RefSelection {
            entity: table.id,
            fields,
        }
    }

    /// `ObjectId`s that lead to no row.
    pub(super) fn identifiers(&mut self, sets: &[&'a SelectionSet]) -> Vec<Field<IdField>> {
        self.fields(sets, "ObjectId", |planner, merged| {
            Some(match name_of(merged) {
                "__typename" => IdField::Typename,
                "obj_id" => IdField::ObjId,
                "entity" => IdField::Entity,
                "modifiers" => IdField::Modifiers,
                "dependencies" => IdField::Dependencies(planner.identifiers(&merged.selections())),
                _ => return None,
            })
        })
    }

    /// The columns that these selections of a table's rows need.
    pub(super) fn select<'s>(
        &self,
        table: &TableDef,
        selections: impl Iterator<Item = &'s RowSelection>,
    ) -> Select {
        let fields = selections.flat_map(|selection| &selection.fields);
        let columns = fields.flat_map(|field| match &field.what {
            RowField::Typename => &[],
            RowField::Column(column) => std::slice::from_ref(column),
            RowField::One(one) => one.from.as_slice(),
            RowField::Many(many) => many.from.as_slice(),
            RowField::Computed(computed) => computed.reads.as_slice(),
        });
        Select::new(table, columns.copied())
    }

    /// Opens selections of the type `ty`, enters them in the fingerprint, and plans each field by
    /// `what`.
    pub(super) fn fields<T>(
        &mut self,
        sets: &[&'a SelectionSet],
        ty: &str,
        mut what: impl FnMut(&mut Self, &Merged<'a>) -> Option<T>,
    ) -> Vec<Field<T>> {
        let merged = self.collector.fields(sets, ty);
        for merged in &merged {
            self.remember(merged);
        }
        let mut fields = Vec::with_capacity(merged.len());
        for merged in &merged {
            if let Some(what) = what(self, merged) {
                fields.push(field(merged, what));
            }
        }
        // Tells the end of these selections from more of them.
        self.fingerprint.write_u8(0xFF);
        fields
    }

    fn remember(&mut self, merged: &Merged<'a>) {
        merged.name.hash(&mut self.fingerprint);
        let Some(first) = merged.fields.first() else {
            return;
        };
        first.node.name.node.as_str().hash(&mut self.fingerprint);
        for (name, value) in &first.node.arguments {
            name.node.as_str().hash(&mut self.fingerprint);
            value.node.to_string().hash(&mut self.fingerprint);
            names_in(&value.node, &mut |name| {
                if !self.named.contains(name) {
                    self.named.push(name.clone());
                }
            });
        }
    }

    pub(super) fn take_fingerprint(&mut self) -> Fingerprint {
        Fingerprint {
            document: self.fingerprint.finish(),
            variables: std::mem::take(&mut self.named),
        }
    }
}

pub(super) fn name_of<'a>(merged: &Merged<'a>) -> &'a str {
    merged
        .fields
        .first()
        .map_or("", |field| field.node.name.node.as_str())
}

fn field<T>(merged: &Merged<'_>, what: T) -> Field<T> {
    let mut json = Vec::with_capacity(merged.name.len() + 3);
    crate::value::write_string(merged.name, &mut json);
    json.push(b':');
    Field {
        name: merged.name.to_owned(),
        json,
        at: merged
            .fields
            .first()
            .map(|field| field.pos)
            .unwrap_or_default(),
        what,
    }
}

pub(super) fn page_arguments(field: &DocumentField) -> PageArguments {
    PageArguments {
        page: field.get_argument("page").cloned(),
        size: field.get_argument("size").cloned(),
        after: field.get_argument("after").cloned(),
        filter: field.get_argument("where").cloned(),
        order: field.get_argument("orderBy").cloned(),
    }
}
