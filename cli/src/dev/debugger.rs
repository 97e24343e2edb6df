//! Where the app's debugger answers: a socket that the tool holds for as long as it runs, like the app's
//! own, and the key for whoever asks. Both are in `run.json`, which only this user may read.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use blazelink_codes::Result;

use super::socket::Socket;

/// The first port that is tried.
const PORT: u16 = 9000;

/// The socket and the key.
#[derive(Debug)]
pub(crate) struct Debugger {
    pub(crate) socket: Socket,
    pub(crate) key: String,
}

impl Debugger {
    /// On the first free port of this machine's own address, with a new key.
    ///
    /// # Errors
    /// As [`Socket::bind`].
    pub(crate) fn bind() -> Result<Debugger> {
        Ok(Debugger {
            socket: Socket::bind(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)?,
            key: format!("{:032x}", rand::random::<u128>()),
        })
    }

    /// A file in this folder that leads a browser to its pages: what a program is started with, everybody
    /// on the machine may read, and this file only its user.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn door(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let path = folder.join("debugger.html");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let page = self.page();
        writeln!(
            options.open(&path)?,
            "<!doctype html>\n<meta http-equiv=\"refresh\" content=\"0; url={page}\">\n\
             <title>The debugger</title>\n<a href=\"{page}\">The debugger</a>"
        )?;
        Ok(path)
    }

    /// The address that opens its pages. The key stands behind the `#`, which browsers send to nobody.
    pub(crate) fn page(&self) -> String {
        format!("{}/#key={}", self.socket.url(), self.key)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_leads_to_it_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let debugger = Debugger::bind().unwrap();
        let door = debugger.door(folder.path()).unwrap();
        let mode = std::fs::metadata(&door).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = std::fs::read_to_string(&door).unwrap();
        assert!(text.contains(&debugger.page()));
    }
}
