//! Additions to Rust files: the place is found in the syntax tree, the text is written there, and
//! every other byte stays. Pure.
//!
//! Each gives None if the file has it already, and says what it lacks where there is no place.

use std::cmp::Ordering;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::{
    Block, Fields, File, FnArg, ImplItem, Item, ItemFn, ItemImpl, ItemMod, ItemStruct, Pat, Stmt,
    Type, UseTree,
};

/// A text with something more, None if it is there, or why it cannot be added.
pub(super) type Edited = Result<Option<String>, String>;

pub(super) fn parse(text: &str) -> Result<File, String> {
    syn::parse_file(text).map_err(|error| {
        let at = error.span().start();
        format!("line {}: {error}", at.line)
    })
}

/// `pub mod name;` or `mod name;` among the other modules, where rustfmt would sort it.
pub(super) fn add_module(text: &str, visibility: &str, name: &str) -> Edited {
    let file = parse(text)?;
    let is_named = |item: &Item| match item {
        Item::Mod(item) => item.ident == name,
        _ => false,
    };
    if file.items.iter().any(is_named) {
        return Ok(None);
    }
    let line = format!("{visibility}mod {name};");
    let modules: Vec<&ItemMod> = file.items.iter().filter_map(declared).collect();
    let behind = |item: &ItemMod| version_order(&item.ident.to_string(), name) == Ordering::Greater;
    let (at, added) = if let Some(next) = modules.iter().find(|item| behind(item)) {
        (range(*next).start, format!("{line}\n"))
    } else if let Some(last) = modules.last() {
        (end_of_line(text, range(*last).end), format!("\n{line}"))
    } else if let Some(first) = file.items.first() {
        (range(first).start, format!("{line}\n\n"))
    } else {
        let gap = if text.trim().is_empty() { "" } else { "\n" };
        (text.len(), format!("{gap}{line}\n"))
    };
    checked(insert(text, at, &added))
}

/// A module that is a file of its own.
fn declared(item: &Item) -> Option<&ItemMod> {
    match item {
        Item::Mod(item) if item.content.is_none() => Some(item),
        _ => None,
    }
}

/// The struct of this name.
pub(super) fn structure<'a>(file: &'a File, name: &str) -> Option<&'a ItemStruct> {
    file.items.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == name => Some(item),
        _ => None,
    })
}

/// A last member of a struct: the lines of its text, indented.
pub(super) fn add_member(text: &str, of: &str, name: &str, member: &str) -> Edited {
    let file = parse(text)?;
    let item = structure(&file, of).ok_or_else(|| format!("it has no `struct {of}`"))?;
    let Fields::Named(fields) = &item.fields else {
        return Err(format!("`struct {of}` has no members with names"));
    };
    let is_named = |ident: &syn::Ident| ident == name;
    if fields
        .named
        .iter()
        .any(|it| it.ident.as_ref().is_some_and(is_named))
    {
        return Ok(None);
    }
    let brace = fields.brace_token.span.close().byte_range().start;
    let mut edited = insert_before_brace(text, brace, member)?;
    if !fields.named.empty_or_trailing()
        && let Some(last) = fields.named.last()
    {
        edited.insert(range(last).end, ',');
    }
    checked(edited)
}

/// A last method of the `impl` block that `is_it` chooses.
pub(super) fn add_method(
    text: &str,
    is_it: impl Fn(&ItemImpl) -> bool,
    name: &str,
    method: &str,
) -> Edited {
    let file = parse(text)?;
    let block = file.items.iter().find_map(|item| match item {
        Item::Impl(item) if is_it(item) => Some(item),
        _ => None,
    });
    let block = block.ok_or("it has no `#[fields]` block for that table")?;
    if has_method(block, name) {
        return Ok(None);
    }
    let brace = block.brace_token.span.close().byte_range().start;
    let method = match block.items.is_empty() {
        true => method.to_owned(),
        false => format!("\n{method}"),
    };
    checked(insert_before_brace(text, brace, &method)?)
}

pub(super) fn has_method(block: &ItemImpl, name: &str) -> bool {
    block
        .items
        .iter()
        .any(|item| matches!(item, ImplItem::Fn(function) if function.sig.ident == name))
}

/// A first statement of a function, behind those that bind the same name; it is told the name of
/// the function's argument of this type.
pub(super) fn add_statement(
    text: &str,
    function: &str,
    argument: &str,
    statement: impl Fn(&str) -> String,
) -> Edited {
    let file = parse(text)?;
    let item = find_function(&file, function).ok_or(format!("it has no `fn {function}`"))?;
    let name = argument_of(item, argument).ok_or(format!(
        "`fn {function}` has no argument of type `{argument}`"
    ))?;
    let statement = statement(&name);
    let block: &Block = &item.block;
    let text_of = |stmt: &Stmt| &text[range(stmt)];
    if block.stmts.iter().any(|stmt| text_of(stmt) == statement) {
        return Ok(None);
    }
    let binds = |stmt: &&Stmt| match stmt {
        Stmt::Local(local) => matches!(&local.pat, Pat::Ident(pat) if pat.ident == name),
        _ => false,
    };
    let last = block.stmts.iter().take_while(binds).last();
    let at = match last {
        Some(last) => range(last).end,
        None => block.brace_token.span.open().byte_range().end,
    };
    checked(insert(text, at, &format!("\n    {statement}")))
}

fn find_function<'a>(file: &'a File, name: &str) -> Option<&'a ItemFn> {
    file.items.iter().find_map(|item| match item {
        Item::Fn(item) if item.sig.ident == name => Some(item),
        _ => None,
    })
}

fn argument_of(item: &ItemFn, named: &str) -> Option<String> {
    item.sig.inputs.iter().find_map(|argument| match argument {
        FnArg::Typed(argument) => match (&*argument.pat, &*argument.ty) {
            (Pat::Ident(pat), Type::Path(path)) => {
                let last = path.path.segments.last()?;
                (last.ident == named).then(|| pat.ident.to_string())
            }
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
}

/// A function behind everything else.
pub(super) fn add_function(text: &str, name: &str, function: &str) -> Edited {
    let file = parse(text)?;
    if find_function(&file, name).is_some() {
        return Ok(None);
    }
    let gap = match text.ends_with('\n') {
        true => "\n",
        false => "\n\n",
    };
    checked(format!("{text}{gap}{function}"))
}

/// Every path that the file imports at its top: `sea_orm::Set`.
pub(super) fn imports(text: &str) -> Result<Vec<String>, String> {
    fn collect(tree: &UseTree, before: &str, found: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => collect(&path.tree, &format!("{before}{}::", path.ident), found),
            UseTree::Name(name) => found.push(format!("{before}{}", name.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|it| collect(it, before, found)),
            // What has another name, and what is not named at all, is imported again.
            UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }
    let mut found = Vec::new();
    for item in parse(text)?.items {
        if let Item::Use(item) = item {
            collect(&item.tree, "", &mut found);
        }
    }
    Ok(found)
}

/// The bytes of a piece of syntax. Comments and attributes of its own are part of it.
fn range(piece: &impl Spanned) -> Range<usize> {
    piece.span().byte_range()
}

/// Lines before the brace that closes a block.
fn insert_before_brace(text: &str, brace: usize, lines: &str) -> Result<String, String> {
    let line = text[..brace].rfind('\n').map_or(0, |at| at + 1);
    Ok(match text[line..brace].trim().is_empty() {
        true => insert(text, line, lines),
        // All on one line.
        false => insert(text, brace, &format!("\n{lines}")),
    })
}

fn insert(text: &str, at: usize, added: &str) -> String {
    let mut text = text.to_owned();
    text.insert_str(at, added);
    text
}

/// A comment behind something belongs to its line.
fn end_of_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// What was added has left Rust.
fn checked(text: String) -> Edited {
    parse(&text).map(|_| Some(text))
}

/// How rustfmt sorts names: a `_` before a number before letters, and numbers by their values.
fn version_order(one: &str, other: &str) -> Ordering {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Part {
        Underscore,
        Number(u128),
        Text(String),
    }
    fn parts(name: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut rest = name;
        while let Some(first) = rest.chars().next() {
            let is_same = |c: char| match first {
                '_' => c == '_',
                _ if first.is_ascii_digit() => c.is_ascii_digit(),
                _ => c != '_' && !c.is_ascii_digit(),
            };
            let end = match first {
                '_' => 1,
                _ => rest.find(|c| !is_same(c)).unwrap_or(rest.len()),
            };
            let part = &rest[..end];
            parts.push(match first {
                '_' => Part::Underscore,
                _ => part
                    .parse()
                    .map_or_else(|_| Part::Text(part.to_owned()), Part::Number),
            });
            rest = &rest[end..];
        }
        parts
    }
    parts(one).cmp(&parts(other))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn edited(edited: Edited) -> String {
        edited.unwrap().unwrap()
    }

    #[test]
    fn modules_are_sorted_in_and_comments_stay() {
        let text = "//! é\n\n/// A.\npub mod a; // first\npub mod c;\n\nuse x::y;\n";
        for (name, after) in [
            (
                "b",
                "//! é\n\n/// A.\npub mod a; // first\npub mod b;\npub mod c;\n\nuse x::y;\n",
            ),
            (
                "d",
                "//! é\n\n/// A.\npub mod a; // first\npub mod c;\npub mod d;\n\nuse x::y;\n",
            ),
            (
                "_a",
                "//! é\n\npub mod _a;\n/// A.\npub mod a; // first\npub mod c;\n\nuse x::y;\n",
            ),
        ] {
            assert_eq!(edited(add_module(text, "pub ", name)), after, "{name}");
        }
        assert_eq!(add_module(text, "pub ", "a").unwrap(), None);
        let last = edited(add_module("pub mod a; // a", "pub ", "b"));
        assert_eq!(last, "pub mod a; // a\npub mod b;");
        assert_eq!(
            edited(add_module("//! A.\n", "pub ", "b")),
            "//! A.\n\npub mod b;\n"
        );
        let before = edited(add_module("//! A.\n\nuse x::y;\n", "", "b"));
        assert_eq!(before, "//! A.\n\nmod b;\n\nuse x::y;\n");
    }

    #[test]
    fn names_are_sorted_as_rustfmt_sorts_them() {
        let sorted = [
            "_a",
            "a",
            "a_b",
            "a2",
            "a10",
            "ab",
            "game",
            "game_event",
            "game2",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(version_order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn members_go_last_whatever_stands_there() {
        for (text, after) in [
            (
                "struct M {\n    a: i32, // é\n    // end\n}\n",
                "struct M {\n    a: i32, // é\n    // end\n    b: i32,\n}\n",
            ),
            (
                "struct M {\n    a: i32\n}\n",
                "struct M {\n    a: i32,\n    b: i32,\n}\n",
            ),
            ("struct M {}\n", "struct M {\n    b: i32,\n}\n"),
            (
                "struct M { a: i32 }\n",
                "struct M { a: i32, \n    b: i32,\n}\n",
            ),
        ] {
            assert_eq!(edited(add_member(text, "M", "b", "    b: i32,\n")), after);
        }
        assert_eq!(
            add_member("struct M { b: u8 }", "M", "b", "").unwrap(),
            None
        );
        assert!(
            add_member("struct N;", "M", "b", "")
                .unwrap_err()
                .contains("struct M")
        );
        assert!(
            add_member("struct M;", "M", "b", "")
                .unwrap_err()
                .contains("names")
        );
        assert!(
            add_member("struct {", "M", "b", "")
                .unwrap_err()
                .contains("line 1")
        );
    }

    #[test]
    fn methods_go_last() {
        let is_it = |_: &ItemImpl| true;
        let method = "    fn b() {}\n";
        let text = "impl M {\n    fn a() {} // é\n}\n";
        let after = "impl M {\n    fn a() {} // é\n\n    fn b() {}\n}\n";
        assert_eq!(edited(add_method(text, is_it, "b", method)), after);
        let after = "impl M {\n    fn b() {}\n}\n";
        assert_eq!(edited(add_method("impl M {}\n", is_it, "b", method)), after);
        assert_eq!(add_method(text, is_it, "a", method).unwrap(), None);
    }

    #[test]
    fn statements_stand_behind_those_that_bind_the_same_name() {
        let add = |text: &str, by: &str| {
            let statement = |blaze: &str| format!("let {blaze} = {by}({blaze});");
            add_statement(text, "rules", "Builder", statement)
        };
        let text = "fn rules(b: x::Builder) -> Builder {\n    // é\n    b\n}\n";
        let once = edited(add(text, "one"));
        assert_eq!(
            once,
            "fn rules(b: x::Builder) -> Builder {\n    let b = one(b);\n    // é\n    b\n}\n"
        );
        let twice = edited(add(&once, "two"));
        assert!(
            twice.contains("one(b);\n    let b = two(b);\n    // é"),
            "{twice}"
        );
        assert_eq!(add(&twice, "one").unwrap(), None);
        assert!(
            add("fn rules() {}", "one")
                .unwrap_err()
                .contains("argument")
        );
        assert!(add("", "one").unwrap_err().contains("fn rules"));
    }

    #[test]
    fn imports_are_whole_paths() {
        let text = "use a::{b, c::{self, D}, e as f, g::*};\n";
        assert_eq!(imports(text).unwrap(), ["a::b", "a::c::self", "a::c::D"]);
    }
}
