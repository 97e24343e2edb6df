//! Links that open a line of a file in the developer's editor.
//!
//! A link of the editor's own scheme, and no endpoint that starts programs: there is nothing that a
//! foreign page could have opened. An editor in a terminal has no such scheme; the page offers the
//! place to be copied then.

use std::path::Path;

/// Schemes of editors, by what their commands are called.
const SCHEMES: &[(&str, &str)] = &[
    ("code", "vscode://file{file}:{line}:{column}"),
    (
        "code-insiders",
        "vscode-insiders://file{file}:{line}:{column}",
    ),
    ("codium", "vscodium://file{file}:{line}:{column}"),
    ("cursor", "cursor://file{file}:{line}:{column}"),
    ("windsurf", "windsurf://file{file}:{line}:{column}"),
    ("zed", "zed://file{file}:{line}:{column}"),
    (
        "subl",
        "subl://open?url=file://{file}&line={line}&column={column}",
    ),
    (
        "mate",
        "txmt://open?url=file://{file}&line={line}&column={column}",
    ),
    (
        "idea",
        "idea://open?file={file}&line={line}&column={column}",
    ),
    (
        "rustrover",
        "rustrover://open?file={file}&line={line}&column={column}",
    ),
];

/// How the developer's editor is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Editor {
    template: Option<String>,
}

impl Editor {
    /// The editor that the environment names: `BLAZELINK_EDITOR`, a command or a link with
    /// `{file}`, `{line}` and `{column}` in it; else `VISUAL`; else `EDITOR`.
    pub(crate) fn chosen(variable: impl Fn(&str) -> Option<String>) -> Editor {
        let named = ["BLAZELINK_EDITOR", "VISUAL", "EDITOR"]
            .iter()
            .filter_map(|name| variable(name))
            .find(|value| !value.trim().is_empty());
        let template = named.and_then(|named| {
            if named.contains("{file}") {
                return Some(named);
            }
            let command = named.split_whitespace().next().unwrap_or_default();
            let name = Path::new(command).file_name()?.to_str()?.to_owned();
            let known = SCHEMES.iter().find(|(known, _)| *known == name)?;
            Some(known.1.to_owned())
        });
        Editor { template }
    }

    /// The link to a place in a file.
    pub(crate) fn link(&self, file: &Path, line: u32, column: u32) -> Option<String> {
        let template = self.template.as_ref()?;
        let file = escaped(file.to_str()?);
        let link = template
            .replace("{file}", &file)
            .replace("{line}", &line.to_string())
            .replace("{column}", &column.to_string());
        // A page must not be given a link that runs something in it.
        let scheme = link.split_once(':')?.0.to_ascii_lowercase();
        (!matches!(&*scheme, "javascript" | "data" | "vbscript")).then_some(link)
    }
}

/// What may not stand in a URL as it is, as bytes in percent (RFC 3986).
fn escaped(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str, value: &str) -> Option<String> {
        let editor = Editor::chosen(|asked| (asked == name).then(|| value.to_owned()));
        editor.link(Path::new("/p/my app/src/a.rs"), 7, 3)
    }

    #[test]
    fn known_editors_are_linked_to_and_others_are_not() {
        let code = Some("vscode://file/p/my%20app/src/a.rs:7:3".to_owned());
        assert_eq!(link("VISUAL", "/usr/bin/code --wait"), code);
        assert_eq!(link("BLAZELINK_EDITOR", "code"), code);
        assert_eq!(link("EDITOR", "vim"), None);
        assert_eq!(link("SHELL", "code"), None);
        let own = link("BLAZELINK_EDITOR", "my://{file}?{line}");
        assert_eq!(own.as_deref(), Some("my:///p/my%20app/src/a.rs?7"));
        assert_eq!(link("BLAZELINK_EDITOR", "javascript:{file}"), None);
    }
}
