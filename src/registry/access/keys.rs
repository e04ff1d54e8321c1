//! The keys under which tokens are signed.

use std::sync::Arc;

use crate::auth::bearer::SigningKey;
use crate::auth::seal::{CannotOpen, MasterKey, random};
use crate::db::{Tx, epoch, keys};
use crate::registry::{Error, Registry};

fn purpose(id: &str) -> String {
    format!("signing key {id}")
}

/// Reads the keys, and makes the first one where there is none.
pub async fn load_keys(registry: &Registry, now: i64) -> Result<(), Error> {
    let Some(master) = &registry.access.master else { return Ok(()) };
    let mut kept = registry.db.read(keys::list).await?;
    if kept.is_empty() {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let sealed = master.seal(&purpose(&id), &random::<32>());
        let make = move |tx: &mut Tx<'_>| {
            // Of two nodes that start at the same moment, the second finds the key of the first.
            epoch::lock(tx)?;
            if keys::list(tx)?.is_empty() {
                keys::insert(tx, &id, sealed.clone(), now)?;
            }
            keys::list(tx)
        };
        kept = registry.db.write(make).await?;
    }
    let opened: Result<Vec<_>, _> = kept.into_iter().map(|(id, sealed)| open(master, id, &sealed)).collect();
    registry.access.keys.store(Arc::new(opened.map_err(|_| Error::MasterKey)?));
    Ok(())
}

fn open(master: &MasterKey, id: String, sealed: &[u8]) -> Result<SigningKey, CannotOpen> {
    let secret = master.open(&purpose(&id), sealed)?;
    Ok(SigningKey::new(id, &secret))
}
