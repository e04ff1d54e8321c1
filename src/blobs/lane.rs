//! Blocking work that must be done in order, such as the hashing of one upload or its writing.
//!
//! A lane holds a thread only while it has something to do. A thread per upload would not: slow clients
//! would fill the runtime's blocking threads with waiting, and two lanes of one upload could each hold
//! the thread that the other needs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Error;

#[cfg(test)]
mod tests;

/// Number of items after which a lane goes to the back of the line for a thread.
const TURN: usize = 32;

/// What a lane does with each item.
pub(super) trait Stage: Send + 'static {
    /// One piece of work.
    type Item: Send + 'static;

    /// Does the work, blocking. After an error it is not called again.
    fn run(&mut self, item: Self::Item) -> Result<(), Error>;
}

/// A queue of work for one stage. Dropping it lets what is queued be done.
pub(super) struct Lane<S: Stage>(Arc<Shared<S>>);

struct Shared<S: Stage> {
    /// What the failure of a vanished task is reported on.
    name: String,
    /// One permit for each item that may still be queued; closed when the lane is broken.
    room: Semaphore,
    capacity: u32,
    queue: Mutex<Queue<S::Item>>,
    stage: Mutex<S>,
}

struct Queue<I> {
    items: VecDeque<I>,
    running: bool,
    failed: bool,
    failure: Option<Error>,
}

impl<S: Stage> Lane<S> {
    /// Makes a lane in which at most `capacity` items wait or are being worked on.
    pub(super) fn new(name: String, stage: S, capacity: u32) -> Self {
        let queue = Queue { items: VecDeque::new(), running: false, failed: false, failure: None };
        Self(Arc::new(Shared {
            name,
            room: Semaphore::new(capacity as usize),
            capacity,
            queue: Mutex::new(queue),
            stage: Mutex::new(stage),
        }))
    }

    /// Queues an item as soon as there is room. Fails with the error of an earlier item, once; without
    /// its cause when asked again.
    pub(super) async fn push(&self, item: S::Item) -> Result<(), Error> {
        let shared = &self.0;
        let permit = shared.room.acquire().await.map_err(|_| shared.broken())?;
        let mut queue = shared.queue();
        if queue.failed {
            return Err(queue.failure.take().unwrap_or_else(|| shared.broken()));
        }
        permit.forget();
        queue.items.push_back(item);
        if !std::mem::replace(&mut queue.running, true) {
            shared.spawn();
        }
        Ok(())
    }

    /// Does an item on this thread, if nothing is queued or being worked on; gives it back otherwise.
    pub(super) fn run_here(&self, item: S::Item) -> Result<Result<(), Error>, S::Item> {
        let queue = self.0.queue();
        if queue.running || queue.failed {
            return Err(item);
        }
        // Only this lane's owner could start work now, and it is here.
        drop(queue);
        Ok(self.0.stage().run(item))
    }

    /// Waits until all items are done.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        let shared = &self.0;
        let all = shared.room.acquire_many(shared.capacity).await;
        drop(all.map_err(|_| shared.broken())?);
        let mut queue = shared.queue();
        if queue.failed {
            return Err(queue.failure.take().unwrap_or_else(|| shared.broken()));
        }
        Ok(())
    }

    /// Looks at the stage, waiting for at most the item it is working on.
    pub(super) fn with_stage<T>(&self, look: impl FnOnce(&mut S) -> T) -> T {
        look(&mut self.0.stage())
    }
}

impl<S: Stage> Shared<S> {
    fn queue(&self) -> MutexGuard<'_, Queue<S::Item>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stage(&self) -> MutexGuard<'_, S> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> Error {
        Error::task(&*self.name)
    }

    fn spawn(self: &Arc<Self>) {
        let guard = Guard { shared: Arc::clone(self), finished: false };
        spawn_blocking(move || guard.work());
    }

    /// The next item, or the end of this turn of work.
    fn next(&self) -> Option<S::Item> {
        let mut queue = self.queue();
        let item = queue.items.pop_front();
        if item.is_none() {
            queue.running = false;
        }
        item
    }

    fn done(&self, result: Result<(), Error>) {
        let mut freed = 1;
        if let Err(error) = result {
            let mut queue = self.queue();
            queue.failed = true;
            queue.failure = Some(error);
            freed += std::mem::take(&mut queue.items).len();
        }
        self.room.add_permits(freed);
    }
}

/// Breaks the lane, lest its owner wait for ever, when work panics or the runtime shuts down before it began.
struct Guard<S: Stage> {
    shared: Arc<Shared<S>>,
    finished: bool,
}

impl<S: Stage> Guard<S> {
    fn work(mut self) {
        for _ in 0..TURN {
            let Some(item) = self.shared.next() else {
                self.finished = true;
                return;
            };
            let result = self.shared.stage().run(item);
            self.shared.done(result);
        }
        self.finished = true;
        self.shared.spawn();
    }
}

impl<S: Stage> Drop for Guard<S> {
    fn drop(&mut self) {
        if !self.finished {
            self.shared.room.close();
        }
    }
}
