//! The planner's part for computed fields and virtual tables.

use async_graphql::parser::types::SelectionSet;

use super::collect::Merged;
use super::plan::{
    ComputedField, MemberField, PageArguments, RowField, RowValue, ValuePageField, ValueSelection,
    VirtualRoot,
};
use super::planner::{Planner, name_of, page_arguments};
use crate::data::{Lookup, RowStatement, TypedStatement};
use crate::table::{StructType, TableDef, ValueType};

impl<'a> Planner<'a> {
    pub(super) fn virtual_root(&mut self, table: &TableDef, merged: &Merged<'a>) -> VirtualRoot {
        let selection = self.rows(&merged.selections(), table);
        let first = merged.fields.first();
        VirtualRoot {
            table: table.id,
            fingerprint: self.take_fingerprint(),
            identifier: first.and_then(|field| field.node.get_argument("identifier").cloned()),
            selection,
        }
    }

    /// The computed field of this position among the table's.
    pub(super) fn computed(
        &mut self,
        table: &TableDef,
        index: usize,
        merged: &Merged<'a>,
    ) -> Option<RowField> {
        let definition = table.computed.get(index)?;
        let first = &merged.fields.first()?.node;
        let reads = definition
            .reads
            .iter()
            .filter_map(|name| table.column(name));
        let arguments = definition.arguments.iter();
        let is_page = matches!(definition.ty, ValueType::Page(_));
        let mut references = 0;
        Some(RowField::Computed(Box::new(ComputedField {
            index,
            reads: reads.chain(table.key.iter().copied()).collect(),
            arguments: arguments
                .map(|argument| (argument.name, first.get_argument(argument.name).cloned()))
                .collect(),
            page: if is_page {
                page_arguments(first)
            } else {
                PageArguments::default()
            },
            typed: definition
                .codec
                .map(|codec| TypedStatement::new(table, codec)),
            value: self.value(
                &definition.ty,
                std::slice::from_ref(merged),
                &mut references,
            ),
            references,
        })))
    }

    fn value(
        &mut self,
        ty: &ValueType,
        merged: &[Merged<'a>],
        references: &mut usize,
    ) -> ValueSelection {
        match ty {
            ValueType::Scalar(_) => ValueSelection::Leaf,
            ValueType::List(item) => {
                ValueSelection::List(Box::new(self.value(item, merged, references)))
            }
            ValueType::Struct(of) => self.structure(of, merged, references),
            ValueType::Page(item) => self.value_page(item, merged, references),
            ValueType::Row(of) => match self.manager.by_type(of.entity) {
                Some(target) => self.row_value(target, merged, references),
                None => ValueSelection::Leaf,
            },
            ValueType::Virtual(of) => match self.manager.virtual_by_type(of.rust_type) {
                Some(target) => ValueSelection::Virtual {
                    table: target.id,
                    fields: self.identifiers(&sets_of(merged)),
                },
                None => ValueSelection::Leaf,
            },
        }
    }

    fn structure(
        &mut self,
        of: &StructType,
        merged: &[Merged<'a>],
        references: &mut usize,
    ) -> ValueSelection {
        let members = (of.members)();
        let fields = self.fields(&sets_of(merged), of.name, |planner, merged| {
            let name = name_of(merged);
            if name == "__typename" {
                return Some(MemberField::Typename);
            }
            let at = members.iter().position(|member| member.name == name)?;
            let merged = std::slice::from_ref(merged);
            let value = planner.value(&members[at].ty, merged, references);
            Some(MemberField::Member(at, value))
        });
        ValueSelection::Struct {
            name: of.name,
            fields,
        }
    }

    fn value_page(
        &mut self,
        item: &ValueType,
        merged: &[Merged<'a>],
        references: &mut usize,
    ) -> ValueSelection {
        let name = super::schema::page_type_name(self.manager, item);
        let fields = self.fields(&sets_of(merged), &name, |planner, merged| {
            Some(match name_of(merged) {
                "__typename" => ValuePageField::Typename,
                "count" => ValuePageField::Count,
                "next" => ValuePageField::Next,
                "items" => {
                    let merged = std::slice::from_ref(merged);
                    ValuePageField::Items(planner.value(item, merged, references))
                }
                _ => return None,
            })
        });
        let read = fields
            .iter()
            .any(|field| matches!(field.what, ValuePageField::Items(_)));
        let guarded = match item {
            ValueType::Row(of) => self.manager.by_type(of.entity),
            _ => None,
        };
        let guarded = guarded.filter(|target| !read && target.is_guarded());
        let counted = guarded.map(|target| Box::new(self.row_value(target, &[], references)));
        ValueSelection::Page {
            name,
            fields,
            counted,
        }
    }

    fn row_value(
        &mut self,
        target: &TableDef,
        merged: &[Merged<'a>],
        references: &mut usize,
    ) -> ValueSelection {
        let selection = self.references(&sets_of(merged), target, &mut 0);
        let guarded = target.is_guarded();
        let needed = guarded || selection.rows().next().is_some();
        let statement = needed.then(|| {
            let select = self.select(target, selection.rows());
            RowStatement::lookup(target, select, Lookup::by_key(target))
        });
        let number = *references;
        *references += 1;
        ValueSelection::Row(Box::new(RowValue {
            number,
            selection,
            statement,
            guarded,
        }))
    }
}

fn sets_of<'a>(merged: &[Merged<'a>]) -> Vec<&'a SelectionSet> {
    merged.iter().flat_map(Merged::selections).collect()
}
