//! The files of the debugger's pages, as they are: scripts, the style, and the libraries of others in
//! `pages/debugger/vendor`, of which `vendor/README.md` says whose they are.

use include_dir::{Dir, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/pages/debugger");

/// The file `name`, such as `main.js` or `vendor/dagre.js`, with its content type. Nothing if there is
/// no such script or style.
///
/// # Examples
///
/// ```
/// let (kind, text) = blazelink_templates::debugger_file("main.js").unwrap_or_default();
/// assert_eq!(kind, "text/javascript; charset=utf-8");
/// assert!(text.contains("import"));
/// ```
pub fn debugger_file(name: &str) -> Option<(&'static str, &'static str)> {
    let kind = match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        _ => return None,
    };
    Some((kind, FILES.get_file(name)?.contents_utf8()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn libraries_of_others_are_what_their_authors_publish() {
        let readme = FILES.get_file("vendor/README.md").unwrap();
        let lines = readme.contents_utf8().unwrap().lines();
        let sums: Vec<_> = lines.filter(|line| line.starts_with("| `")).collect();
        let scripts = FILES.get_dir("vendor").unwrap().files();
        let scripts = scripts.filter(|file| file.path().extension().is_some_and(|it| it == "js"));
        let scripts: Vec<_> = scripts.collect();
        for script in &scripts {
            let name = script.path().file_name().unwrap().to_str().unwrap();
            let digest = Sha256::digest(script.contents());
            let sum: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let line = sums.iter().find(|line| line.contains(&format!("`{name}`")));
            assert!(line.is_some_and(|it| it.contains(&sum)), "{name}: {sum}");
        }
        assert_eq!(scripts.len(), sums.len());
    }

    #[test]
    fn no_file_of_ours_reaches_for_another_host() {
        for file in FILES.files() {
            let text = file.contents_utf8().unwrap();
            for pattern in ["http://", "https://", "@import", "import(\"//"] {
                let allowed = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!allowed.contains(pattern), "{:?}: {pattern}", file.path());
            }
        }
    }

    #[test]
    fn only_scripts_and_styles_are_served() {
        for name in ["vendor/README.md", "none.js", "../debugger.html", "vendor"] {
            assert_eq!(debugger_file(name), None, "{name}");
        }
    }
}
