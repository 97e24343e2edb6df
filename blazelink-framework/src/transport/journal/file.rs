//! The journal's file: opened at start-up, appended to by requests, written anew when it has
//! grown.
//!
//! `app` opens it and gives it to the `SubscriptionManager` as its [`Ledger`]. A request appends
//! one record before it is answered, by one write to the file and without waiting for the disk:
//! what a killed process has written stays, what a machine without power loses at the end is
//! dropped by the reader. The file holds session ids, which are secrets, because clients keep
//! theirs; it is made for its owner's eyes only, and never printed.
//!
//! What must stay true:
//! - The lock is held while the index is asked and never the other way round, so publishing waits
//!   for no disk. While the file is written anew it is not held, except at the end.
//! - A file that cannot be written costs one line in the log, and requests nothing.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blazelink_codes::{Code, limits};

use super::record::{self, Sessions};
use crate::error::{Error, ErrorKind};
use crate::exposure::Exposure;
use crate::session::SessionId;
use crate::subscription::{Ledger, View, ViewName, Visit};

/// Name of the journal in the state folder.
const NAME: &str = "sessions.journal";

/// What sessions watch, on disk.
pub struct Journal {
    path: PathBuf,
    exposure: Arc<Exposure>,
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None once it could not be written.
    file: Option<File>,
    bytes: usize,
    /// Bytes of the file when it was last written anew: about what lives.
    lived: usize,
    /// What has been appended since the file began to be written anew.
    tail: Option<Vec<u8>>,
    /// Whether a record was left out for want of room since the file was last written anew.
    left_out: bool,
    /// Whether that has been told.
    told: bool,
    /// Kept for its capacity.
    record: Vec<u8>,
}

impl Journal {
    /// What the journal in this folder says sessions watch, and the journal itself, written anew,
    /// for them to go on in, which never grows beyond `limit` bytes. A folder or file that cannot
    /// be used is a warning and no journal.
    pub fn open(
        folder: &Path,
        exposure: Arc<Exposure>,
        limit: usize,
    ) -> (Sessions, Option<Journal>) {
        let path = folder.join(NAME);
        let sessions = match stored(&path, limit) {
            Ok(bytes) => {
                let (sessions, understood) = record::read(&bytes, &exposure);
                let dropped = bytes.len() - understood;
                if dropped > 0 {
                    tracing::info!(dropped, "dropped the journal's end, which is not whole");
                }
                sessions
            }
            Err(error) => {
                warn(&path, error);
                return (Sessions::new(), None);
            }
        };
        let journal = Journal {
            path,
            exposure,
            limit,
            state: Mutex::default(),
        };
        let begun = fs::create_dir_all(folder).and_then(|()| {
            journal.write_anew(&|visit| {
                for (session, views) in &sessions {
                    for (name, view) in views {
                        visit(session, name, view.clone());
                    }
                }
            })
        });
        match begun {
            Ok(()) => (sessions, Some(journal)),
            Err(error) => {
                warn(&journal.path, error);
                (sessions, None)
            }
        }
    }

    /// Appends the record that `write` writes, while nobody else does.
    fn append(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        let State {
            file: Some(file),
            bytes,
            tail,
            left_out,
            told,
            record,
            ..
        } = &mut *state
        else {
            return;
        };
        record.clear();
        write(record);
        if *bytes + record.len() > self.limit {
            *left_out = true;
            if !std::mem::replace(told, true) {
                self.warn_full();
            }
            return;
        }
        let written = file.write_all(record);
        *bytes += record.len();
        if let Some(tail) = tail {
            tail.extend_from_slice(record);
        }
        record.shrink_to(limits::FRAME_BYTES);
        if let Err(error) = written {
            state.file = None;
            warn(&self.path, error);
        }
    }

    /// Writes a file with what lives, and what is appended meanwhile, in place of the present one.
    fn write_anew(&self, living: &dyn Fn(&mut Visit<'_>)) -> io::Result<()> {
        self.lock().tail = Some(Vec::new());
        let new = self.path.with_extension("new");
        let mut file = BufWriter::new(create(&new)?);
        file.write_all(record::HEAD)?;
        let mut bytes = record::HEAD.len();
        let mut cut = false;
        let mut written = Ok(());
        let mut record = Vec::new();
        living(&mut |session, name, view| {
            record.clear();
            record::write_view(&self.exposure, session, name, &view, &mut record);
            cut |= bytes + record.len() > self.limit / 2;
            if !cut && written.is_ok() {
                bytes += record.len();
                written = file.write_all(&record);
            }
        });
        written?;

        let mut state = self.lock();
        let tail = state.tail.take().unwrap_or_default();
        file.write_all(&tail)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        fs::rename(&new, &self.path)?;
        state.file = Some(file);
        state.lived = bytes;
        state.bytes = bytes + tail.len();
        state.left_out = false;
        if cut && !std::mem::replace(&mut state.told, true) {
            self.warn_full();
        }
        Ok(())
    }

    fn warn_full(&self) {
        let limit = self.limit;
        let error = unwritable(format!("The journal has no room beyond its {limit} bytes"));
        let error = error.with_hint("clients that it leaves out are to reload after a restart");
        tracing::warn!(code = %error.code(), "{error:#}");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for Journal {
    fn changed(&self, session: &SessionId, name: &ViewName, view: &dyn Fn() -> View) {
        self.append(|out| record::write_view(&self.exposure, session, name, &view(), out));
    }

    fn ended(&self, session: &SessionId, gone: &dyn Fn() -> bool) {
        self.append(|out| {
            if gone() {
                record::write_end(session, out);
            }
        });
    }

    fn tidy(&self, living: &dyn Fn(&mut Visit<'_>)) {
        {
            let state = self.lock();
            let grown = state.bytes > 2 * state.lived.max(limits::JOURNAL_SMALL);
            if state.file.is_none() || !(grown || state.left_out) {
                return;
            }
        }
        if let Err(error) = self.write_anew(living) {
            let mut state = self.lock();
            state.tail = None;
            state.file = None;
            warn(&self.path, error);
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The bytes of the journal, as many as one may have; none if there is no file.
fn stored(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(limit as u64).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(bytes)
}

/// A new file that only its owner may open.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

fn unwritable(sentence: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Unavailable, Code::Journal, sentence)
}

fn warn(path: &Path, source: io::Error) {
    let path = path.display();
    let error = unwritable(format!(
        "{path} cannot be used, so clients of the original are stale after a restart"
    ))
    .with_source(source)
    .with_hint("name a folder with room: BLAZELINK_STATE, or [server] state in Blazelink.toml");
    tracing::warn!(code = %error.code(), "{error:#}");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use super::*;
    use crate::exposure::{ExposedColumn, ExposedTable};
    use crate::object_id::{Key, ObjectId, TableId};
    use crate::session::{ConnectionManager, Session};
    use crate::subscription::{Dependency, Role, SubscriptionManager, Watch};
    use crate::value::Kind;

    const USER: TableId = TableId(0);
    const SMALL: usize = 4 << 10;

    fn exposure() -> Arc<Exposure> {
        let id = ExposedColumn {
            renamed: None,
            name: "id".into(),
            kind: Kind::Int,
        };
        Arc::new(Exposure::new(vec![ExposedTable {
            id: USER,
            schema: "public".into(),
            table: "user".into(),
            entity: "User".into(),
            columns: vec![id],
            key: vec![0],
        }]))
    }

    /// A manager that goes on in the journal of this folder.
    fn start(folder: &Path, limit: usize) -> Arc<SubscriptionManager> {
        let connections = Arc::new(ConnectionManager::default());
        let manager = SubscriptionManager::new(exposure(), connections);
        let (sessions, journal) = Journal::open(folder, exposure(), limit);
        for (session, views) in sessions {
            manager.restore(&session, views.into_iter(), Instant::now());
        }
        let journal = journal.unwrap();
        Arc::new(manager.with_ledger(Arc::new(journal)))
    }

    fn open(manager: &SubscriptionManager, id: &str) -> Arc<Session> {
        let id = SessionId::new(id).unwrap();
        manager.connections().open(&id, Instant::now())
    }

    fn watch(manager: &Arc<SubscriptionManager>, session: &Arc<Session>, key: i64) {
        let watch = manager.watch_for(session);
        let reading = watch.begin(ObjectId::row(USER, Key::from(key)), 0);
        let row = Dependency::Row(USER, Key::from(key));
        reading.depend(Role::Declared, row).unwrap();
        reading.finish();
    }

    fn size(folder: &Path) -> u64 {
        fs::metadata(folder.join(NAME)).unwrap().len()
    }

    #[test]
    fn views_cross_a_restart_and_their_session_is_owed_an_update_for_each() {
        let folder = tempfile::tempdir().unwrap();
        let before = start(folder.path(), SMALL);
        let (kept, left) = (open(&before, "a"), open(&before, "b"));
        watch(&before, &kept, 1);
        watch(&before, &kept, 2);
        watch(&before, &left, 3);
        before.unsubscribe(&left, &ObjectId::row(USER, Key::from(3)), 0);

        let after = start(folder.path(), SMALL);
        assert_eq!(after.connections().len(), 1);
        let session = open(&after, "a");
        let attached = after.connections().attach(&session, Instant::now());
        let mut out = Vec::new();
        assert!(after.take(&session, attached.socket(), usize::MAX, &mut out));
        let objects: Vec<_> = out
            .iter()
            .map(|entry| entry.update.object.clone())
            .collect();
        assert_eq!(
            objects,
            [1, 2].map(|key| ObjectId::row(USER, Key::from(key)))
        );
    }

    #[test]
    fn a_repeated_read_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let manager = start(folder.path(), SMALL);
        let session = open(&manager, "a");
        watch(&manager, &session, 1);
        let once = size(folder.path());
        for _ in 0..100 {
            watch(&manager, &session, 1);
        }
        assert_eq!(size(folder.path()), once);
    }

    #[test]
    fn an_ended_session_is_not_restored_and_one_that_came_back_is() {
        let folder = tempfile::tempdir().unwrap();
        let manager = start(folder.path(), SMALL);
        for id in ["a", "b"] {
            watch(&manager, &open(&manager, id), 1);
        }
        let later = Instant::now() + limits::GRACE * 2;
        assert_eq!(manager.sweep(later), 2);
        watch(&manager, &open(&manager, "b"), 2);
        let after = start(folder.path(), SMALL);
        assert_eq!((after.connections().len(), after.subscriptions()), (1, 1));
    }

    #[test]
    fn a_grown_journal_is_written_anew_with_what_lives() {
        let folder = tempfile::tempdir().unwrap();
        let manager = start(folder.path(), limits::JOURNAL_BYTES);
        let session = open(&manager, "a");
        watch(&manager, &session, -1);
        let mut key = 0;
        while size(folder.path()) <= 2 * limits::JOURNAL_SMALL as u64 {
            watch(&manager, &session, key);
            manager.unsubscribe(&session, &ObjectId::row(USER, Key::from(key)), 0);
            key += 1;
        }
        manager.sweep(Instant::now());
        assert!(size(folder.path()) < 1_000);
        watch(&manager, &session, -2);
        assert_eq!(start(folder.path(), SMALL).subscriptions(), 2);
    }

    #[test]
    fn a_full_journal_leaves_out_what_is_new_until_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let manager = start(folder.path(), SMALL);
        let session = open(&manager, "a");
        for key in 0..200 {
            watch(&manager, &session, key);
        }
        assert!(size(folder.path()) <= SMALL as u64);
        for key in 0..199 {
            manager.unsubscribe(&session, &ObjectId::row(USER, Key::from(key)), 0);
        }
        manager.sweep(Instant::now());
        assert_eq!(start(folder.path(), SMALL).subscriptions(), 1);
    }

    #[test]
    fn what_is_appended_while_the_file_is_written_anew_is_in_both() {
        let folder = tempfile::tempdir().unwrap();
        let (_, journal) = Journal::open(folder.path(), exposure(), SMALL);
        let journal = journal.unwrap();
        let name = |key| ViewName {
            object: ObjectId::row(USER, Key::from(key)),
            selection: 0,
        };
        let view = || vec![(Role::Derived, Dependency::Table(USER))];
        let id = SessionId::new("a").unwrap();
        let restored = || Journal::open(&folder.path().join("copy"), exposure(), SMALL).0;
        fs::create_dir(folder.path().join("copy")).unwrap();
        let copy = || {
            fs::copy(
                folder.path().join(NAME),
                folder.path().join("copy").join(NAME),
            )
        };
        let anew = journal.write_anew(&|visit| {
            visit(&id, &name(1), view());
            journal.changed(&id, &name(2), &view);
            copy().unwrap();
        });
        anew.unwrap();
        assert_eq!(restored()[&id].len(), 1);
        copy().unwrap();
        assert_eq!(restored()[&id].len(), 2);
    }

    #[test]
    fn the_file_is_for_its_owner_and_its_debug_output_holds_no_id() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let manager = start(folder.path(), SMALL);
        watch(&manager, &open(&manager, "secret"), 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (sessions, journal) = Journal::open(folder.path(), exposure(), SMALL);
        assert!(!format!("{sessions:?}{journal:?}").contains("secret"));
    }

    #[test]
    fn a_folder_that_cannot_be_one_is_no_journal() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (sessions, journal) = Journal::open(&file.path().join("state"), exposure(), SMALL);
        assert!(sessions.is_empty() && journal.is_none());
    }

    #[test]
    fn a_full_disk_ends_the_journal_and_harms_no_request() {
        let folder = tempfile::tempdir().unwrap();
        let (_, journal) = Journal::open(folder.path(), exposure(), SMALL);
        let journal = journal.unwrap();
        // Every write to it fails as on a full disk.
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        journal.lock().file = Some(full);
        let id = SessionId::new("a").unwrap();
        for _ in 0..2 {
            journal.append(|out| record::write_end(&id, out));
        }
        assert!(journal.lock().file.is_none());
        journal.tidy(&|_| panic!("there is nothing to tidy"));
    }
}
