//! Whether the application can do its work.

use crate::db::{self, uploads};

use super::App;

/// What of the application works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The database answers.
    pub database: bool,
    /// The store takes bytes.
    pub store: bool,
}

impl App {
    /// Tries the database and the store. One at a time: trying means writing, and whoever asks need not be anybody in
    /// particular.
    pub async fn health(&self) -> Health {
        let _turn = self.health.lock().await;
        let database = self.registry.db.scan::<_, db::Error, _>(uploads::count_some).await;
        let store = self.registry.blobs.probe().await;
        if let Err(error) = &database {
            tracing::warn!(%error, "the database is not ready");
        }
        if let Err(error) = &store {
            tracing::warn!(%error, "the blob store is not ready");
        }
        Health { database: database.is_ok(), store: store.is_ok() }
    }

    /// Brings the gauge of open uploads up to date, before it is read.
    pub async fn count_uploads(&self) {
        match self.registry.db.scan(uploads::count).await {
            Ok(count) => {
                self.metrics.uploads_open.set(count);
            }
            Err(error) => tracing::warn!(%error, "cannot count the open uploads"),
        }
    }
}
