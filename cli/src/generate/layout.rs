//! Lists as rustfmt breaks them, so that what is generated is formatted already. Pure.

/// Characters of the longest line.
const LINE: usize = 100;

/// Characters between the brackets of an array on one line.
const ARRAY: usize = 60;

/// Characters between the parentheses of a tuple on one line.
const TUPLE: usize = 60;

/// Characters between the parentheses of an attribute on one line.
const ATTRIBUTE: usize = 70;

/// `before[a, b]after`, the first line indented by `indent`; an item per line if it is too long.
pub(super) fn array(indent: usize, before: &str, items: &[String], after: &str) -> String {
    let pad = " ".repeat(indent);
    let inside = items.join(", ");
    let width = indent + before.len() + inside.len() + after.len() + "[]".len();
    if inside.len() <= ARRAY && width <= LINE {
        return format!("{pad}{before}[{inside}]{after}");
    }
    let items: String = items
        .iter()
        .map(|item| format!("{pad}    {item},\n"))
        .collect();
    format!("{pad}{before}[\n{items}{pad}]{after}")
}

/// `(a, b)` as an item of a list whose items are indented by `indent`.
pub(super) fn tuple(indent: usize, items: &[String]) -> String {
    let inside = items.join(", ");
    if inside.len() <= TUPLE {
        return format!("({inside})");
    }
    let pad = " ".repeat(indent);
    let items: String = items
        .iter()
        .map(|item| format!("{pad}    {item},\n"))
        .collect();
    format!("(\n{items}{pad})")
}

/// `#[name(a, b)]` of a field; an argument per line if it is too long.
pub(super) fn attribute(name: &str, arguments: &[String]) -> String {
    let inside = arguments.join(", ");
    if inside.len() <= ATTRIBUTE {
        return format!("    #[{name}({inside})]");
    }
    let inside = arguments.join(",\n        ");
    format!("    #[{name}(\n        {inside}\n    )]")
}

/// `pub name: of,` in a structure; the type on a line of its own if both are too long for one.
pub(super) fn member(name: &str, of: &str) -> String {
    let line = format!("    pub {name}: {of},");
    match line.len() <= LINE {
        true => line,
        false => format!("    pub {name}:\n        {of},"),
    }
}

/// `let name = "text";`, indented by four; broken only where that makes it short enough.
pub(super) fn text(name: &str, text: &str) -> String {
    let text = format!("\"{}\"", text.replace('"', "\\\""));
    let line = format!("    let {name} = {text};");
    let broken = format!("        {text};");
    match line.len() <= LINE || broken.len() > LINE {
        true => line,
        false => format!("    let {name} =\n{broken}"),
    }
}
