//! The writing thread: closures that arrive while a commit is under way share the next one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::Connection;
use crate::db::error::{Error, Kind};
use crate::db::{Durable, Tx};

/// At most this many closures share a transaction.
const BATCH: usize = 64;
/// A transaction takes no further closure after this time.
const BATCH_TIME: Duration = Duration::from_millis(2);
/// Closures that may wait; beyond, the callers wait before they hand theirs over.
const QUEUE: usize = 1024;

/// A closure of a caller with the place for its answer.
trait Job: Send {
    fn durable(&self) -> Durable;
    /// Runs the closure; tells whether its changes are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers the caller: with the closure's own result, or with the failure of the transaction around it.
    fn answer(self: Box<Self>, failure: Option<&Error>);
}

struct Typed<T, E, F> {
    durable: Durable,
    f: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Typed<T, E, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn durable(&self) -> Durable {
        self.durable
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let result = catch_unwind(AssertUnwindSafe(|| (self.f)(tx)))
            .unwrap_or_else(|_| Err(Error::new(Kind::Internal, "a transaction panicked").into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn answer(mut self: Box<Self>, failure: Option<&Error>) {
        let result = match (failure, self.result.take()) {
            (Some(error), _) => Err(error.clone().into()),
            (None, Some(result)) => result,
            (None, None) => Err(Error::new(Kind::Internal, "the transaction did not run").into()),
        };
        // The caller may have gone away: what was committed stays committed.
        drop(self.reply.send(result));
    }
}

/// The way to the writing thread; the thread ends when this is dropped.
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, always_soft: bool) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = Thread { connection, queue, always_soft, synced: true };
        std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(move || thread.run())
            .map_err(|e| Error::caused(Kind::Unavailable, "cannot start the writing thread", e))?;
        Ok(Self { jobs })
    }

    pub(super) async fn submit<T, E, F>(&self, durable: Durable, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::new(Kind::Unavailable, "the database's writing thread has ended");
        let job = Box::new(Typed { durable, f, result: None, reply });
        self.jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

struct Thread {
    connection: Connection,
    queue: mpsc::Receiver<Box<dyn Job>>,
    always_soft: bool,
    /// Whether the connection now syncs at COMMIT.
    synced: bool,
}

impl Thread {
    fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut batch = vec![first];
            let outcome = self.transaction(&mut batch);
            for job in batch {
                job.answer(outcome.as_ref().err());
            }
            if let Err(error) = &outcome
                && error.kind == Kind::Busy
            {
                self.refuse_waiting(error);
            }
        }
    }

    /// Answers those that waited just as long behind a batch that found the database locked: each batch waiting in turn
    /// would keep the last of them for minutes.
    fn refuse_waiting(&mut self, error: &Error) {
        for _ in 0..QUEUE {
            let Ok(job) = self.queue.try_recv() else { return };
            job.answer(Some(error));
        }
    }

    /// Runs the batch, to which waiting closures are added, in one transaction.
    fn transaction(&mut self, batch: &mut Vec<Box<dyn Job>>) -> Result<(), Error> {
        while batch.len() < BATCH
            && let Ok(job) = self.queue.try_recv()
        {
            batch.push(job);
        }
        self.set_synced(batch.iter().any(|job| job.durable() == Durable::Yes))?;
        self.connection.batch("BEGIN IMMEDIATE")?;
        let started = Instant::now();
        let mut next = 0;
        let result = loop {
            if next == batch.len() {
                // A soft transaction takes only soft closures in: how it commits was settled before it began.
                let room = self.synced && batch.len() < BATCH && started.elapsed() < BATCH_TIME;
                match room.then(|| self.queue.try_recv().ok()).flatten() {
                    Some(job) => batch.push(job),
                    None => break self.connection.batch("COMMIT"),
                }
            }
            if let Err(error) = savepoint(&mut self.connection, batch[next].as_mut()) {
                break Err(error);
            }
            next += 1;
        };
        if result.is_err() {
            // The batch has failed as a whole; if even this fails, the next BEGIN reports it.
            let _ = self.connection.batch("ROLLBACK");
        }
        result
    }

    fn set_synced(&mut self, durable: bool) -> Result<(), Error> {
        let wanted = durable && !self.always_soft;
        if wanted != self.synced {
            self.connection.batch(if wanted { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" })?;
            self.synced = wanted;
        }
        Ok(())
    }
}

fn savepoint(connection: &mut Connection, job: &mut dyn Job) -> Result<(), Error> {
    connection.batch("SAVEPOINT closure")?;
    let keep = job.run(&mut Tx::new(connection));
    if let Some(error) = connection.lost_transaction() {
        return Err(error);
    }
    if !keep {
        connection.batch("ROLLBACK TO closure")?;
    }
    connection.batch("RELEASE closure")
}
