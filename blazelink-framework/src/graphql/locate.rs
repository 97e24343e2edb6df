//! Where a part of a value stands in a document's text. The parser keeps the place of a whole
//! value only; clients are told where inside of it a mistake is. Pure; used for errors alone.

use async_graphql::Pos;

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To a member's value.
    Member(String),
    /// To an item of a list.
    Item(usize),
    /// To a member's name; only as the last step.
    Name(String),
}

/// The place of what the steps lead to from the value at `start`; `start` itself where they lead
/// nowhere. The text must be one that was parsed.
pub(super) fn locate(text: &str, start: Pos, steps: &[Step]) -> Pos {
    let Some(mut scanner) = Scanner::at(text, start) else {
        return start;
    };
    scanner.follow(steps).unwrap_or(start)
}

#[derive(Clone)]
struct Scanner<'t> {
    rest: &'t str,
    at: Pos,
}

impl<'t> Scanner<'t> {
    fn at(text: &'t str, start: Pos) -> Option<Scanner<'t>> {
        let mut scanner = Scanner {
            rest: text,
            at: Pos { line: 1, column: 1 },
        };
        while scanner.at != start {
            scanner.next()?;
        }
        Some(scanner)
    }

    fn follow(&mut self, steps: &[Step]) -> Option<Pos> {
        let Some((first, then)) = steps.split_first() else {
            return Some(self.at);
        };
        match first {
            Step::Item(number) => {
                // A single value stands for a list of it.
                if self.peek() != Some('[') {
                    return (*number == 0).then(|| self.follow(then)).flatten();
                }
                self.enter();
                for _ in 0..*number {
                    self.skip_value()?;
                }
                if self.peek() == Some(']') {
                    return None;
                }
                self.follow(then)
            }
            Step::Member(name) | Step::Name(name) => {
                if self.peek() != Some('{') {
                    return None;
                }
                self.enter();
                loop {
                    let at = self.at;
                    let found = self.word();
                    if found.is_empty() {
                        return None;
                    }
                    if found == name && matches!(first, Step::Name(_)) {
                        return Some(at);
                    }
                    self.enter_after(':')?;
                    if found == name {
                        return self.follow(then);
                    }
                    self.skip_value()?;
                }
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let char = chars.next()?;
        self.rest = chars.as_str();
        // A carriage return before a line feed is of the same line's end.
        if char == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(char)
    }

    /// Over one character, and to the next that means something.
    fn enter(&mut self) {
        self.next();
        self.skip_ignored();
    }

    fn enter_after(&mut self, wanted: char) -> Option<()> {
        self.skip_ignored();
        (self.peek()? == wanted).then(|| self.enter())
    }

    /// GraphQL October 2021, section 2.1.7.
    fn skip_ignored(&mut self) {
        while let Some(char) = self.peek() {
            match char {
                '#' => {
                    while self.peek().is_some_and(|char| char != '\n') {
                        self.next();
                    }
                }
                ',' | '\u{FEFF}' => {
                    self.next();
                }
                char if char.is_whitespace() => {
                    self.next();
                }
                _ => return,
            }
        }
    }

    /// A name, a number, or a variable's name with its sign.
    fn word(&mut self) -> &'t str {
        let all = self.rest;
        while self.peek().is_some_and(|char| {
            char.is_ascii_alphanumeric() || matches!(char, '_' | '$' | '-' | '+' | '.')
        }) {
            self.next();
        }
        &all[..all.len() - self.rest.len()]
    }

    /// To what follows the value.
    fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                '"' => self.skip_string(),
                '{' | '[' => {
                    depth += 1;
                    self.next();
                }
                '}' | ']' => {
                    // The end of what holds the value: there is none.
                    depth = depth.checked_sub(1)?;
                    self.next();
                }
                ':' => {
                    self.next();
                }
                _ => {
                    if self.word().is_empty() {
                        return None;
                    }
                }
            }
            self.skip_ignored();
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_string(&mut self) {
        let block = self.rest.starts_with("\"\"\"");
        let (end, escape) = if block {
            ("\"\"\"", "\\\"\"\"")
        } else {
            ("\"", "\\")
        };
        self.skip(end.len());
        while !self.rest.is_empty() && !self.rest.starts_with(end) {
            if self.rest.starts_with(escape) {
                // With what it escapes: a quote does not end the string then.
                self.skip(if block { escape.len() } else { 2 });
            } else {
                self.next();
            }
        }
        self.skip(end.len());
    }

    fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            self.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  game(identifier: # of one\n    {entity: \"a{\\\"\", block: \"\"\"x\\\"\"\" }\"\"\", list: [1, -2.5,\n \
                        $v], deep: {list: [{}, {a: true}]} obj_id :7}) }";

    fn found(steps: &[Step]) -> (usize, usize) {
        let start = Pos { line: 3, column: 5 };
        let at = locate(TEXT, start, steps);
        (at.line, at.column)
    }

    fn text_at((line, column): (usize, usize)) -> &'static str {
        let line = TEXT.lines().nth(line - 1).unwrap_or_default();
        &line[column - 1..]
    }

    #[test]
    fn parts_are_found_behind_strings_comments_lists_and_objects() {
        let member = |name: &str| Step::Member(name.to_owned());
        let name = |name: &str| Step::Name(name.to_owned());
        for (steps, expected) in [
            (vec![], "{entity"),
            (vec![member("entity")], "\"a{"),
            (vec![name("block")], "block"),
            (vec![member("list"), Step::Item(1)], "-2.5"),
            (vec![member("list"), Step::Item(2)], "$v]"),
            (
                vec![member("deep"), member("list"), Step::Item(1), member("a")],
                "true",
            ),
            (vec![member("obj_id")], "7}"),
            (vec![member("obj_id"), Step::Item(0)], "7}"),
            (vec![name("obj_id")], "obj_id :7"),
        ] {
            let at = found(&steps);
            assert!(text_at(at).starts_with(expected), "{steps:?}: {at:?}");
        }
    }

    #[test]
    fn what_is_not_there_is_at_the_whole_value() {
        for steps in [
            vec![Step::Member("nothing".to_owned())],
            vec![Step::Item(1)],
            vec![Step::Member("list".to_owned()), Step::Item(3)],
        ] {
            assert_eq!(found(&steps), (3, 5), "{steps:?}");
        }
        let beyond = Pos { line: 9, column: 9 };
        assert_eq!(locate(TEXT, beyond, &[Step::Item(0)]), beyond);
    }
}
