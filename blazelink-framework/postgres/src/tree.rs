//! Folders copied whole: a template cluster for a test process, binaries for a server that may
//! not read where they lie.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::owner::Owner;

/// Copies `from` to `to` (which must not exist) and gives all of it to `owner`. Permissions and
/// symbolic links stay what they are.
pub(crate) fn copy(from: &Path, to: &Path, owner: Owner) -> Result<()> {
    copy_entry(from, to, owner).map_err(|error| {
        Error::new(
            ErrorKind::Setup,
            Code::PostgresFolder,
            format!(
                "`{}` cannot be copied to `{}`",
                from.display(),
                to.display()
            ),
        )
        .with_source(error)
    })
}

fn copy_entry(from: &Path, to: &Path, owner: Owner) -> io::Result<()> {
    let found = fs::symlink_metadata(from)?;
    if found.is_symlink() {
        return symlink(fs::read_link(from)?, to);
    }
    if found.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_entry(&entry.path(), &to.join(entry.file_name()), owner)?;
        }
        fs::set_permissions(to, found.permissions())?;
    } else if found.is_file() {
        fs::copy(from, to)?;
    }
    owner.give(to).map_err(io::Error::other)
}
