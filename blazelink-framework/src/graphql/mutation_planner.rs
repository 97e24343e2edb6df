//! Plans the fields of `Mutation`. Part of `planner`, and as pure.

use super::collect::Merged;
use super::plan::{Root, WriteRoot, WrittenField};
use super::planner::{Planner, name_of};
use crate::data::RowStatement;
use crate::table::Operation;

impl<'a> Planner<'a> {
    pub(super) fn mutation(&mut self, merged: &Merged<'a>) -> Option<Root> {
        let first = merged.fields.first()?;
        let name = first.node.name.node.as_str();
        if name == "__typename" {
            return Some(Root::Typename("Mutation"));
        }
        let operations = [Operation::Create, Operation::Update, Operation::Delete];
        let (table, operation) = self.manager.tables().iter().find_map(|table| {
            let mut operations = operations.into_iter();
            let found = operations.find(|&it| table.writes(it) && table.mutation(it) == name)?;
            Some((table, found))
        })?;
        let mut rows = 0;
        let answer = table.answer_type(operation);
        let fields = self.fields(&merged.selections(), &answer, |planner, merged| {
            Some(match name_of(merged) {
                "__typename" => WrittenField::Typename,
                "obj_id" => WrittenField::ObjId,
                "entity" => WrittenField::Entity,
                "version" => WrittenField::Version,
                "row" => {
                    let number = rows;
                    rows += 1;
                    let selection = planner.rows(&merged.selections(), table);
                    WrittenField::Row { number, selection }
                }
                _ => return None,
            })
        });
        let selections = WriteRoot::rows(&fields);
        let statement = (rows > 0).then(|| {
            let select = self.select(table, selections);
            RowStatement::by_key(table, select)
        });
        Some(Root::Write(Box::new(WriteRoot {
            table: table.id,
            operation,
            identifier: first.node.get_argument("identifier").cloned(),
            input: first.node.get_argument("input").cloned(),
            statement,
            fields,
        })))
    }
}
