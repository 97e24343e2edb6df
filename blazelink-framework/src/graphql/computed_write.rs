//! Prints the values of computed fields.

use async_graphql::Pos;

use super::loaded::{Loaded, LoadedComputed};
use super::plan::{
    ComputedField, MemberField, RefField, RowField, RowValue, ValuePageField, ValueSelection,
    VirtualRoot,
};
use super::write::{RowOf, Step, Writer};
use crate::object_id::Key;
use crate::table::Output;
use crate::value::{Kind, write_integer, write_string, write_value};

impl<'a> Writer<'a> {
    pub(super) fn virtual_root(&mut self, root: &'a VirtualRoot, loaded: &'a [Loaded]) {
        let table = self.manager.table(root.table);
        self.object(&root.selection.fields, |writer, at, field| {
            match (&field.what, loaded.get(at)) {
                (RowField::Typename, _) => write_string(&table.entity, &mut writer.out),
                (RowField::Computed(computed), Some(Loaded::Computed(loaded))) => {
                    writer.computed(0, computed, loaded, field.at);
                }
                (_, Some(Loaded::Failed(message))) => writer.fail(message, field.at),
                _ => writer.null(),
            }
        });
    }

    pub(super) fn computed(
        &mut self,
        row: usize,
        field: &'a ComputedField,
        loaded: &'a LoadedComputed,
        at: Pos,
    ) {
        match loaded.values.get(row) {
            Some(Ok(value)) => self.value(value, &field.value, loaded),
            Some(Err(message)) => self.fail(message, at),
            None => self.null(),
        }
    }

    fn value(
        &mut self,
        value: &'a Output,
        selection: &'a ValueSelection,
        loaded: &'a LoadedComputed,
    ) {
        match (selection, value) {
            (ValueSelection::List(item), Output::List(values)) => self.list(values, item, loaded),
            (ValueSelection::Struct { name, fields }, Output::Struct(members)) => {
                self.object(fields, |writer, _, field| match &field.what {
                    MemberField::Typename => write_string(name, &mut writer.out),
                    MemberField::Member(at, selection) => match members.get(*at) {
                        Some(member) => writer.value(member, selection, loaded),
                        None => writer.null(),
                    },
                });
            }
            (ValueSelection::Page { name, fields, .. }, Output::Page { items, count }) => {
                self.object(fields, |writer, _, field| match &field.what {
                    ValuePageField::Typename => write_string(name, &mut writer.out),
                    ValuePageField::Next => writer.null(),
                    ValuePageField::Count => write_integer(count.unwrap_or(0), &mut writer.out),
                    ValuePageField::Items(item) => writer.list(items, item, loaded),
                });
            }
            (ValueSelection::Row(place), Output::Row(key)) => self.row_value(key, place, loaded),
            (ValueSelection::Virtual { table, fields }, Output::Virtual(dependencies)) => {
                self.identifier(*table, None, dependencies, fields);
            }
            (ValueSelection::Leaf, value) => self.scalar(value),
            _ => self.null(),
        }
    }

    fn list(&mut self, values: &'a [Output], item: &'a ValueSelection, loaded: &'a LoadedComputed) {
        self.out.push(b'[');
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.path.push(Step::Item(at));
            self.value(value, item, loaded);
            self.path.pop();
        }
        self.out.push(b']');
    }

    fn row_value(&mut self, key: &'a Key, place: &'a RowValue, loaded: &'a LoadedComputed) {
        let table = self.manager.table(place.selection.entity);
        let targets = loaded.targets.get(place.number);
        let row = targets.zip(place.statement.as_ref());
        let row = row.and_then(|(targets, statement)| {
            let row = RowOf {
                batch: &targets.rows.batch,
                statement,
                row: *targets.of.get(key)? as usize,
            };
            Some((row, &targets.rows))
        });
        if place.guarded && row.is_none() {
            return self.null();
        }
        self.object(&place.selection.fields, |writer, _, field| {
            match &field.what {
                RefField::Typename => write_string(&table.ref_type(), &mut writer.out),
                RefField::Entity => write_string(&table.entity, &mut writer.out),
                RefField::Modifiers => writer.out.extend_from_slice(b"\"[]\""),
                RefField::Dependencies(fields) => writer.identifiers(&table.carried, fields),
                RefField::ObjId => key.write_json(&mut writer.out),
                RefField::Row { number, selection } => match row {
                    Some((row, rows)) => writer.row(row, selection, rows.selections.get(*number)),
                    None => writer.null(),
                },
            }
        });
    }

    fn scalar(&mut self, value: &Output) {
        let out = &mut self.out;
        match value {
            Output::Boolean(truth) => out.extend_from_slice(truth.to_string().as_bytes()),
            Output::Integer(number) => write_integer(*number, out),
            Output::Float(number) if number.is_infinite() => {
                let sign = if *number < 0.0 { "-" } else { "" };
                write_string(&format!("{sign}Infinity"), out);
            }
            Output::Float(number) => write_value(&Kind::Float, &number.to_string(), out),
            Output::Text(text) => write_string(text, out),
            Output::Json(json) => {
                let written = serde_json::to_writer(out, json);
                debug_assert!(written.is_ok(), "JSON is written as JSON");
            }
            _ => self.null(),
        }
    }
}
