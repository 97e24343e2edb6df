//! Prints `ObjectId`s that lead to no row: virtual tables, and what an `ObjectId` carries.

use super::plan::{Field, IdField};
use super::write::{Step, Writer};
use crate::object_id::{Key, TableId};
use crate::table::Identified;
use crate::value::write_string;

impl<'a> Writer<'a> {
    pub(super) fn identifier(
        &mut self,
        table: TableId,
        key: Option<&Key>,
        dependencies: &'a [Identified],
        fields: &'a [Field<IdField>],
    ) {
        self.object(fields, |writer, _, field| match &field.what {
            IdField::Typename => write_string("ObjectId", &mut writer.out),
            IdField::ObjId => match key {
                Some(key) => key.write_json(&mut writer.out),
                None => writer.null(),
            },
            IdField::Entity => {
                write_string(&writer.manager.table(table).entity, &mut writer.out);
            }
            IdField::Modifiers => writer.out.extend_from_slice(b"\"[]\""),
            IdField::Dependencies(fields) => writer.identifiers(dependencies, fields),
        });
    }

    pub(super) fn identifiers(&mut self, of: &'a [Identified], fields: &'a [Field<IdField>]) {
        self.out.push(b'[');
        for (at, named) in of.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.path.push(Step::Item(at));
            self.identifier(named.table, named.key.as_ref(), &named.dependencies, fields);
            self.path.pop();
        }
        self.out.push(b']');
    }
}
