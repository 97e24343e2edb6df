//! How the tool ends: one number for each way that a script has to tell from others.

use std::process::ExitCode;

use blazelink_codes::Code;

/// A way to end. The numbers are part of what scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// What was asked for was not done.
    Failed = 1,
    /// The command line is not understood; clap ends with this number too.
    Usage = 2,
    /// A question needs an answer and nobody is there to give it.
    NeedsAnswer = 3,
    /// The machine or the database is not as it has to be.
    Environment = 4,
    /// A check found a difference.
    Differs = 5,
    // A panic ends with 101, which is Rust's own doing; `defect` says what is printed then.
    /// Ctrl-C, or a signal like it.
    Interrupted = 130,
}

impl Exit {
    /// The way to end for an error of this code.
    pub(crate) fn of(code: Code) -> Exit {
        match code {
            Code::Usage | Code::ProjectName | Code::NameRefused => Exit::Usage,
            Code::NeedsAnswer => Exit::NeedsAnswer,
            Code::Unhealthy => Exit::Environment,
            Code::Differs => Exit::Differs,
            Code::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
