//! The page of each code: why it comes, how it looks, what to do. `blazelink explain` prints them,
//! and `docs/error-codes.md` is made of them.
//!
//! The texts are Markdown, a file per thousand in `explain/`, a section per code. Every code has
//! one, and every section has a code.

use crate::Code;

/// The files, that of the first thousand first.
const FILES: &[&str] = &[
    include_str!("../explain/1.md"),
    include_str!("../explain/2.md"),
    include_str!("../explain/3.md"),
    include_str!("../explain/4.md"),
    include_str!("../explain/5.md"),
    include_str!("../explain/6.md"),
    include_str!("../explain/7.md"),
    include_str!("../explain/8.md"),
];

/// How a section begins.
const HEADING: &str = "\n## ";

impl Code {
    /// What the code means, why it comes, an example and what to do: a page of Markdown.
    pub fn page(self) -> String {
        let heading = format!("{HEADING}{self}\n");
        let section = FILES.iter().find_map(|file| {
            let (_, rest) = file.split_once(&heading)?;
            Some(rest.split(HEADING).next().unwrap_or(rest))
        });
        let text = section.unwrap_or_default().trim();
        format!("## {self}\n\n{}\n\n{text}\n", self.meaning())
    }

    /// The pages of all codes, with a heading for each thousand.
    pub fn all_pages() -> String {
        let mut text = String::from(
            "# Error codes\n\nWhat each code of Blazelink's means, and what to do about it. \
             `blazelink explain CODE` prints one of them; this page is what \
             `blazelink explain --all` prints.\n",
        );
        for (thousand, file) in (1..).zip(FILES) {
            let title = file.lines().next().unwrap_or_default();
            text.push_str(&format!("\n{title}\n"));
            for code in Code::ALL {
                if code.number() / 1000 == thousand {
                    text.push_str(&format!("\n{}", code.page()));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_with_cause_example_and_fix() {
        for code in Code::ALL {
            let page = code.page();
            let mut rest = page.as_str();
            for part in ["**Cause.** ", "**Example.**\n\n```", "**Fix.** "] {
                let (_, after) = rest
                    .split_once(part)
                    .unwrap_or_else(|| panic!("{code}: explain/ has no {part:?} for it"));
                rest = after;
            }
            assert_eq!(page.matches("```").count(), 2, "{code}: one example");
        }
    }

    #[test]
    fn every_page_belongs_to_a_code_and_they_stand_in_order() {
        let headings: Vec<&str> = FILES
            .iter()
            .flat_map(|file| file.split(HEADING).skip(1))
            .map(|section| section.lines().next().unwrap_or_default())
            .collect();
        let codes: Vec<String> = Code::ALL.iter().map(Code::to_string).collect();
        assert_eq!(headings, codes);
    }
}
