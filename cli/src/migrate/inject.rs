//! A migration's place in the list of migrations: found in the syntax tree, written into the text,
//! so that formatting and comments stay as they are. Pure.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::{Expr, ImplItem, Item, ItemImpl, Stmt};

/// Characters of the longest line that rustfmt leaves.
const LINE: usize = 100;

/// The text of `lib.rs` with `mod {module};` and `Box::new({module}::Migration)` in it; or what
/// it lacks to be a list of migrations.
pub(crate) fn inject(text: &str, module: &str) -> Result<String, String> {
    let file = syn::parse_file(text).map_err(|error| {
        let at = error.span().start();
        format!("line {}: {error}", at.line)
    })?;
    let list = list_of(&file.items)?;
    let (at, entry) = entry(text, list, module);
    let (mod_at, declaration) = declaration(text, &file.items, module);
    // From the end on, so that places that are found stay right.
    let mut edits = [(at, entry), (mod_at, declaration)];
    edits.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let mut text = text.to_owned();
    for (at, inserted) in edits {
        text.insert_str(at, &inserted);
    }
    match syn::parse_file(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    }
}

/// What stands between the brackets of the `vec![..]` that `migrations()` gives.
fn list_of(items: &[Item]) -> Result<Range<usize>, String> {
    let migrations = items
        .iter()
        .filter_map(|item| match item {
            Item::Impl(item) if is_migrator(item) => Some(item),
            _ => None,
        })
        .flat_map(|item| &item.items)
        .find_map(|item| match item {
            ImplItem::Fn(function) if function.sig.ident == "migrations" => Some(function),
            _ => None,
        })
        .ok_or("no `fn migrations()` in an `impl MigratorTrait`")?;
    let called = match migrations.block.stmts.last() {
        Some(Stmt::Expr(Expr::Macro(expression), None)) => &expression.mac,
        // Without an expression around it a macro in braces is a statement.
        Some(Stmt::Macro(statement)) => &statement.mac,
        _ => return Err("`migrations()` does not end with `vec![..]`".into()),
    };
    if !called.path.is_ident("vec") {
        return Err("`migrations()` does not end with `vec![..]`".into());
    }
    let brackets = called.delimiter.span();
    Ok(brackets.open().byte_range().end..brackets.close().byte_range().start)
}

fn is_migrator(item: &ItemImpl) -> bool {
    let path = item.trait_.as_ref().map(|(_, path, _)| path);
    let last = path.and_then(|path| path.segments.last());
    last.is_some_and(|last| last.ident == "MigratorTrait")
}

/// Where in the list the entry goes, and with what around it.
fn entry(text: &str, list: Range<usize>, module: &str) -> (usize, String) {
    let entry = format!("Box::new({module}::Migration)");
    let inside = &text[list.clone()];
    let Some(last) = last_token(inside) else {
        return (list.start, entry);
    };
    let comma = if inside[..last].ends_with(',') {
        ""
    } else {
        ","
    };
    let at = list.start + last;
    // In a list of several lines each entry has its own, indented as the last one is.
    if inside[..last].contains('\n') {
        let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let indent: String = text[line..]
            .chars()
            .take_while(|c| *c == ' ' || *c == '\t')
            .collect();
        let entry = match indent.len() + entry.len() + ",".len() <= LINE {
            true => entry,
            false => format!("Box::new(\n{indent}    {module}::Migration,\n{indent})"),
        };
        return (at, format!("{comma}\n{indent}{entry},"));
    }
    (at, format!("{comma} {entry}"))
}

/// Where the last token of the list ends; comments behind it are none.
fn last_token(inside: &str) -> Option<usize> {
    let tokens: proc_macro2::TokenStream = inside.parse().ok()?;
    let last = tokens.into_iter().last()?;
    // The list is parsed anew, as a text of its own that begins with its first byte.
    let end = last.span().end();
    let before = inside
        .split_inclusive('\n')
        .take(end.line - 1)
        .map(str::len)
        .sum::<usize>();
    let line = inside.get(before..)?;
    let column: usize = line.chars().take(end.column).map(char::len_utf8).sum();
    Some(before + column)
}

/// Where `mod` goes: among the declarations of modules in files of their own, before the first
/// that comes after it, as rustfmt sorts them; else behind the imports, else at the top.
fn declaration(text: &str, items: &[Item], module: &str) -> (usize, String) {
    let is_later = |item: &&Item| match item {
        Item::Mod(item) => item.content.is_none() && item.ident.to_string().as_str() > module,
        _ => false,
    };
    let later = items.iter().find(is_later);
    if let Some(later) = later {
        let at = later.span().byte_range().start;
        return (at, format!("mod {module};\n"));
    }
    let ends = |wanted: fn(&Item) -> bool| {
        let found = items.iter().filter(|item| wanted(item));
        found.map(|item| item.span().byte_range().end).next_back()
    };
    let behind = ends(|item| matches!(item, Item::Mod(item) if item.content.is_none()))
        .map(|end| (end, "\n"))
        .or_else(|| ends(|item| matches!(item, Item::Use(_))).map(|end| (end, "\n\n")));
    match behind {
        Some((end, gap)) => {
            // A comment at the end of the line belongs to the line.
            let end = text[end..].find('\n').map_or(text.len(), |at| end + at);
            (end, format!("{gap}mod {module};"))
        }
        None => {
            let first = items
                .first()
                .map_or(text.len(), |item| item.span().byte_range().start);
            (first, format!("mod {module};\n\n"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lib(modules: &str, list: &str) -> String {
        format!(
            "//! Ours: é.\n\nuse a::b;\n{modules}\npub struct Migrator;\n\n\
             impl MigratorTrait for Migrator {{\n    \
             fn migrations() -> Vec<Box<dyn MigrationTrait>> {{\n        {list}\n    }}\n}}\n"
        )
    }

    #[test]
    fn module_and_entry_go_behind_the_last_ones_and_everything_else_stays() {
        let before = lib(
            "\nmod m1; // é first\n",
            "vec![\n            // é\n            Box::new(m1::Migration), // one\n            \
             // more to come\n        ]",
        );
        let after = lib(
            "\nmod m1; // é first\nmod m2;\n",
            "vec![\n            // é\n            Box::new(m1::Migration),\n            \
             Box::new(m2::Migration), // one\n            // more to come\n        ]",
        );
        assert_eq!(inject(&before, "m2").unwrap(), after);
    }

    #[test]
    fn modules_stay_sorted_and_entries_stay_in_the_order_of_their_making() {
        let list = |entries: &str| format!("vec![\n            {entries}\n        ]");
        let before = lib("\nmod m1;\nmod m3;\n", &list("Box::new(m3::Migration),"));
        let after = lib(
            "\nmod m1;\nmod m2;\nmod m3;\n",
            &list("Box::new(m3::Migration),\n            Box::new(m2::Migration),"),
        );
        assert_eq!(inject(&before, "m2").unwrap(), after);
    }

    #[test]
    fn a_list_on_one_line_an_empty_one_and_one_without_a_last_comma_are_lists() {
        for (before, after) in [
            ("vec![]", "vec![Box::new(m2::Migration)]"),
            (
                "vec![Box::new(a::B)]",
                "vec![Box::new(a::B), Box::new(m2::Migration)]",
            ),
            (
                "vec![Box::new(a::B),]",
                "vec![Box::new(a::B), Box::new(m2::Migration)]",
            ),
            (
                "vec![\n            Box::new(a::B)\n        ]",
                "vec![\n            Box::new(a::B),\n            Box::new(m2::Migration),\n        ]",
            ),
        ] {
            let made = inject(&lib("", before), "m2").unwrap();
            assert_eq!(made, lib("\nmod m2;\n", after), "{before}");
        }
    }

    #[test]
    fn what_is_no_list_is_said_and_left_alone() {
        for (text, why) in [
            ("fn f( {", "line 1"),
            ("struct A;", "no `fn migrations()`"),
            (&lib("", "let list = list(); list")[..], "does not end with"),
            (&lib("", "other![]")[..], "does not end with"),
        ] {
            let told = inject(text, "m2").unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
