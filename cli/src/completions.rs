//! `blazelink completions`: what a shell needs to complete our command lines.

use blazelink_codes::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::terminal::Terminal;

/// Print the completions of a shell
#[derive(Args, Debug)]
#[command(after_help = "Example: blazelink completions bash > \
                        ~/.local/share/bash-completion/completions/blazelink")]
pub(crate) struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

#[allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "as every verb's"
)]
pub(crate) fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut command = crate::arguments::Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "blazelink", &mut script);
    terminal.result(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
