//! Two transactions of which the second runs into the first, without a clock: PostgreSQL tells who waits for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::db::{Db, Error, Tx};

/// Runs the transaction `first`, and `second` while that is still open. `first` commits once a transaction of `second` waits
/// for it, or `second` is done.
pub(crate) async fn interleave<A, B>(
    db: &Db,
    mut first: impl FnMut(&mut Tx<'_>) -> Result<A, Error> + Send + 'static,
    second: impl Future<Output = B>,
) -> (Result<A, Error>, B)
where
    A: Send + 'static,
{
    let (begun, done) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (signal, over) = (Arc::clone(&begun), Arc::clone(&done));
    let first = db.write(move |tx| {
        let value = first(tx)?;
        signal.notify_one();
        let since = Instant::now();
        while !over.load(Ordering::SeqCst) && !is_waited_for(tx)? {
            assert!(since.elapsed() < Duration::from_secs(20), "nobody came");
            std::thread::yield_now();
        }
        Ok(value)
    });
    let second = async {
        begun.notified().await;
        let value = second.await;
        done.store(true, Ordering::SeqCst);
        value
    };
    tokio::join!(first, second)
}

fn is_waited_for(tx: &mut Tx<'_>) -> Result<bool, Error> {
    let sql = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
    Ok(tx.one(sql, &[])?.int(0)? > 0)
}
