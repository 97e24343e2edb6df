//! Prints what a mutation has done. Part of `write`, and as synchronous and total.

use super::loaded::LoadedWritten;
use super::plan::{WriteRoot, WrittenField};
use super::write::{RowOf, Writer};
use crate::table::Operation;
use crate::value::write_string;

impl<'a> Writer<'a> {
    pub(super) fn written(&mut self, root: &'a WriteRoot, written: &'a LoadedWritten) {
        let table = self.manager.table(root.table);
        self.object(&root.fields, |writer, _, field| match &field.what {
            WrittenField::Typename => {
                write_string(&table.answer_type(root.operation), &mut writer.out);
            }
            WrittenField::ObjId => written.key.write_json(&mut writer.out),
            WrittenField::Entity => write_string(&table.entity, &mut writer.out),
            WrittenField::Version => match &written.version {
                Some(version) => write_string(version, &mut writer.out),
                None => writer.null(),
            },
            WrittenField::Row { number, selection } => {
                debug_assert!(root.operation != Operation::Delete, "a row that is gone");
                let rows = match &written.rows {
                    Ok(rows) => rows,
                    Err(message) => return writer.fail(message, field.at),
                };
                match &root.statement {
                    Some(statement) if !rows.batch.is_empty() => {
                        let row = RowOf {
                            batch: &rows.batch,
                            statement,
                            row: 0,
                        };
                        writer.row(row, selection, rows.selections.get(*number));
                    }
                    _ => writer.null(),
                }
            }
        });
    }
}
