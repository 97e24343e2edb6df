//! `blazelink explain`: what an error code means, why it comes and what to do. The texts are
//! `blazelink-codes`'.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::Args;
use serde_json::json;

use crate::terminal::Terminal;

/// Say what an error code means, why it comes, and what to do
#[derive(Args, Debug)]
#[command(after_help = "Example: blazelink explain BLZ3002")]
pub(crate) struct Arguments {
    /// The code, such as BLZ3002 or 3002; without one all codes are listed
    code: Option<String>,

    /// Print the pages of all codes
    #[arg(long, conflicts_with = "code")]
    all: bool,
}

#[allow(clippy::needless_pass_by_value, reason = "as every verb's")]
pub(crate) fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    match arguments.code {
        Some(text) => {
            let code = text.parse().map_err(|_| no_code(&text))?;
            explain(code, terminal);
        }
        None if arguments.all && terminal.is_json() => {
            Code::ALL.iter().for_each(|code| explain(*code, terminal));
        }
        None if arguments.all => terminal.result(Code::all_pages().trim_end()),
        None => {
            for code in Code::ALL {
                let fields = json!({"code": code.to_string(), "meaning": code.meaning()});
                terminal.outcome("code", fields, format!("{code}  {}", code.meaning()));
            }
        }
    }
    Ok(())
}

fn explain(code: Code, terminal: Terminal) {
    let page = code.page();
    let fields =
        json!({"code": code.to_string(), "meaning": code.meaning(), "text": page.trim_end()});
    terminal.outcome("code", fields, page.trim_end());
}

fn no_code(text: &str) -> Error {
    let sentence = format!("There is no code `{text}`");
    Error::new(ErrorKind::Setup, Code::Usage, sentence)
        .with_hint("`blazelink explain` lists all codes")
}
