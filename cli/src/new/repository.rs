//! The git repository of a new project, with a first commit. Whatever git lacks for it is a remark
//! and no error: the project is there all the same.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repository {
    Committed,
    /// Made, but git refuses to commit: it does not know who commits.
    Uncommitted,
    /// The folder is in a repository already, which is left alone.
    Within,
    /// There is no git, or none that makes repositories here.
    Missing,
}

impl Repository {
    /// Whether a project in `folder` would be part of a repository. `folder` need not be there.
    pub(crate) async fn is_around(folder: &Path) -> bool {
        // Also one that git does not read, such as somebody else's.
        if folder.join(".git").exists() {
            return true;
        }
        let Some(there) = folder.ancestors().find(|folder| folder.is_dir()) else {
            return false;
        };
        let inside = git(there, &["rev-parse", "--is-inside-work-tree"]).await;
        // A folder that is ignored is not part of it.
        inside
            && !git(
                there,
                &["check-ignore", "--quiet", &folder.to_string_lossy()],
            )
            .await
    }

    /// Makes a repository in `folder` and commits what is there.
    pub(crate) async fn make(folder: &Path) -> Repository {
        if !git(folder, &["init", "--quiet", "--initial-branch", "main"]).await {
            return Repository::Missing;
        }
        // Neither hooks nor a key's passphrase: nobody has asked for those.
        let commit = [
            "commit",
            "--quiet",
            "--no-verify",
            "--no-gpg-sign",
            "--message",
        ];
        let message = ["Start from what `blazelink new` makes"];
        if git(folder, &["add", "--all"]).await
            && git(folder, &[&commit[..], &message[..]].concat()).await
        {
            Repository::Committed
        } else {
            Repository::Uncommitted
        }
    }

    /// What to say of it.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Repository::Committed => "a repository with a first commit",
            Repository::Uncommitted => {
                "a repository without a commit: git config --global user.name and user.email"
            }
            Repository::Within => "in a repository already, where nothing was committed",
            Repository::Missing => "no repository: git is not here, or makes none",
        }
    }
}

/// Whether git does this in `folder`. It asks nothing and says nothing.
async fn git(folder: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    // Set where git itself has started us: they would lead it to another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    command.status().await.is_ok_and(|status| status.success())
}
