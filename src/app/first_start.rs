//! The account `admin`, made by the first start.

use std::path::{Path, PathBuf};

use super::master_key::write_private;
use crate::auth::password;
use crate::clock;
use crate::config::Config;
use crate::registry::accounts::users;
use crate::registry::{Ctx, Error, Registry, access};

/// The file of the data directory that holds the generated password until it is changed.
pub const INITIAL_PASSWORD: &str = "initial-admin-password";

/// What the first start has to tell.
pub struct FirstStart {
    /// The generated password; nothing when the operator gave one.
    pub password: Option<String>,
    /// The file that holds it; nothing when it could not be written.
    pub file: Option<PathBuf>,
}

impl Registry {
    /// Reads the signing keys, and makes the account `admin` where there is no user yet.
    pub async fn prepare_access(&self, config: &Config) -> Result<Option<FirstStart>, Error> {
        if self.access.open {
            return Ok(None);
        }
        let ctx = Ctx::system(clock::now());
        access::load_keys(self, ctx.now).await?;
        let given = config.auth.admin_password.as_ref().map(|password| password.reveal().to_owned());
        let generated = given.is_none();
        let password = given.unwrap_or_else(password::generate);
        if !users::add_first(self, &ctx, password.clone()).await? {
            return Ok(None);
        }
        if !generated {
            return Ok(Some(FirstStart { password: None, file: None }));
        }
        let path = config.data_dir.join(INITIAL_PASSWORD);
        forget_initial_password(&config.data_dir);
        let written = write_private(&path, &password);
        if let Err(error) = &written {
            tracing::warn!(%error, path = %path.display(), "cannot write the password of admin to a file");
        }
        Ok(Some(FirstStart { password: Some(password), file: written.is_ok().then_some(path) }))
    }
}

/// Removes the file with the generated password, which holds no longer.
pub fn forget_initial_password(data_dir: &Path) {
    let path = data_dir.join(INITIAL_PASSWORD);
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, path = %path.display(), "cannot remove the initial password's file"),
    }
}
