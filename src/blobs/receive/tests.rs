use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use oci::Algorithm;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::blobs::conformance::{get, location_of};
use crate::blobs::faulty::{Fault, Operation};
use crate::blobs::pool::BUFFER_LEN;
use crate::blobs::{Blobs, BoxFuture, Disk, Durability, Faulty, Memory, UploadId};

/// A body of given frames, which ends well, breaks off, or never ends.
struct Script {
    frames: Vec<Bytes>,
    last: Last,
    announced: u64,
    /// Yields once before each frame, as a connection does.
    slow: bool,
    waited: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Last {
    End,
    Break,
    Silence,
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if self.slow && !std::mem::replace(&mut self.waited, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.waited = false;
        if let Some(frame) = self.frames.pop() {
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        match self.last {
            Last::End => Poll::Ready(None),
            Last::Break => Poll::Ready(Some(Err("connection reset"))),
            Last::Silence => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.last == Last::End && !self.slow
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

/// The body of these bytes in frames of these sizes, over and over.
fn body(bytes: &[u8], sizes: &[usize], last: Last) -> Script {
    let mut rest = Bytes::copy_from_slice(bytes);
    let mut frames = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        frames.push(rest.split_to((*size).min(rest.len())));
    }
    frames.reverse();
    Script { frames, last, announced: 0, slow: false, waited: false }
}

/// Bytes without a period that a mixed-up order could hide in.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(len)
    .collect()
}

async fn ignore(_: Checkpoint) {}

fn fresh() -> Hasher {
    Hasher::new(Algorithm::Sha256)
}

async fn receive_all(store: &dyn Blobs, pool: &Pool, id: UploadId, body: Script) -> Received {
    let append = store.append(id, 0).await.unwrap();
    receive(body, append, fresh(), pool, None, ignore).await
}

/// Checks that an upload has exactly these bytes, hashed and stored.
async fn assert_stored(store: &dyn Blobs, id: UploadId, received: Received, bytes: &[u8]) {
    let location = location_of(bytes, id);
    assert_eq!(received.written, bytes.len() as u64);
    assert_eq!(received.hasher.finish(), *location.digest());
    store.finish(id, &location).await.unwrap();
    assert!(get(store, &location).await == bytes);
}

#[tokio::test]
async fn small_body_needs_no_buffer() {
    let (store, pool) = (Memory::new(), Pool::new(1));
    let held = pool.acquire().await;
    let id = UploadId::random();
    let received = receive_all(&store, &pool, id, body(b"{}", &[9], Last::End)).await;
    received.outcome.as_ref().unwrap();
    assert_stored(&store, id, received, b"{}").await;
    drop(held);
}

#[tokio::test]
async fn empty_body_makes_an_empty_upload() {
    let store = Memory::new();
    let id = UploadId::random();
    let received = receive_all(&store, &Pool::new(1), id, body(b"", &[1], Last::End)).await;
    assert_stored(&store, id, received, b"").await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_frames_give_the_bytes_and_their_digest(
        len in 0..4 * BUFFER_LEN,
        sizes in proptest::collection::vec(1..BUFFER_LEN + 2, 1..6),
        slow: bool,
        buffers in 1..4_usize,
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let root = TempDir::new().unwrap();
            let store = Disk::open(root.path(), Durability::Relaxed).unwrap();
            let (id, bytes) = (UploadId::random(), noise(len));
            let mut body = body(&bytes, &sizes, Last::End);
            body.slow = slow;
            let received = receive_all(&store, &Pool::new(buffers), id, body).await;
            received.outcome.as_ref().unwrap();
            assert_stored(&store, id, received, &bytes).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_body_is_resumed_where_it_broke_off() {
    let root = TempDir::new().unwrap();
    let store = Disk::open(root.path(), Durability::Full).unwrap();
    let (pool, id, bytes) = (Pool::new(4), UploadId::random(), noise(3 * BUFFER_LEN + 77));
    for (from, to) in [(0, 5), (5, BUFFER_LEN + 1), (BUFFER_LEN + 1, 3 * BUFFER_LEN)] {
        let append = store.append(id, from as u64).await.unwrap();
        let hasher = store.hash_upload(id, from as u64, Algorithm::Sha256).await.unwrap();
        let broken = body(&bytes[from..to], &[10_000], Last::Break);
        let received = receive(broken, append, hasher, &pool, None, ignore).await;
        assert!(matches!(received.outcome, Err(ReceiveError::Client(_))));
        assert_eq!(received.written, (to - from) as u64);
        assert_eq!(received.hasher.finish(), Algorithm::Sha256.digest(&bytes[..to]));
        assert_eq!(store.upload_len(id).await.unwrap(), Some(to as u64));
    }
    let from = 3 * BUFFER_LEN;
    let append = store.append(id, from as u64).await.unwrap();
    let mut hasher = fresh();
    hasher.update(&bytes[..from]);
    let rest = body(&bytes[from..], &[10], Last::End);
    let received = receive(rest, append, hasher, &pool, None, ignore).await;
    assert_eq!(received.hasher.finish(), Algorithm::Sha256.digest(&bytes));
    let location = location_of(&bytes, id);
    store.finish(id, &location).await.unwrap();
    assert_eq!(store.verify(&location).await.unwrap(), *location.digest());
}

#[tokio::test]
async fn announced_length_beyond_the_limit_is_refused_unread() {
    let store = Memory::new();
    let id = UploadId::random();
    let append = store.append(id, 0).await.unwrap();
    let mut body = body(&[0; 100], &[10], Last::Silence);
    body.announced = 100;
    let received = receive(body, append, fresh(), &Pool::new(1), Some(99), ignore).await;
    assert!(matches!(received.outcome, Err(ReceiveError::TooLarge { limit: 99 })));
    assert_eq!(received.written, 0);
}

#[tokio::test]
async fn body_that_turns_out_too_long_is_refused() {
    for (limit, written) in [(0, 0), (15, 10), (99, 90)] {
        let store = Memory::new();
        let id = UploadId::random();
        let append = store.append(id, 0).await.unwrap();
        let body = body(&[0; 100], &[10], Last::End);
        let received = receive(body, append, fresh(), &Pool::new(1), Some(limit), ignore).await;
        assert!(matches!(received.outcome, Err(ReceiveError::TooLarge { .. })));
        assert_eq!(received.written, written);
        assert_eq!(store.upload_len(id).await.unwrap(), Some(written));
    }
}

#[tokio::test]
async fn body_as_long_as_the_limit_is_taken() {
    let store = Memory::new();
    let append = store.append(UploadId::random(), 0).await.unwrap();
    let body = body(&[0; 100], &[10], Last::End);
    let received = receive(body, append, fresh(), &Pool::new(1), Some(100), ignore).await;
    assert_eq!((received.written, received.outcome.is_ok()), (100, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_store_ends_the_body_and_can_be_resumed() {
    let root = TempDir::new().unwrap();
    let disk = Disk::open(root.path(), Durability::Full).unwrap();
    let store = Faulty::new(Arc::new(disk));
    let bytes = noise(8 * BUFFER_LEN);
    for fault in [Fault::NoSpace, Fault::Cut(1000)] {
        for nth in [1, 5, 8] {
            let id = UploadId::random();
            store.fail(Operation::Write, nth, fault);
            // The client would go on for ever; it is the store that ends it.
            let sent = body(&bytes, &[BUFFER_LEN], Last::Silence);
            let received = receive_all(&store, &Pool::new(3), id, sent).await;
            assert!(matches!(received.outcome, Err(ReceiveError::Store(Error::Full(_)))));
            let written = usize::try_from(received.written).unwrap();
            let digest = Algorithm::Sha256.digest(&bytes[..written]);
            assert_eq!(received.hasher.clone().finish(), digest);

            let append = store.append(id, received.written).await.unwrap();
            let rest = body(&bytes[written..], &[BUFFER_LEN], Last::End);
            let mut received = receive(rest, append, received.hasher, &Pool::new(3), None, ignore).await;
            received.written += written as u64;
            assert_stored(&store, id, received, &bytes).await;
        }
    }
}

#[tokio::test]
async fn failing_close_is_an_error_of_the_store() {
    let store = Faulty::new(Arc::new(Memory::new()));
    store.fail(Operation::Close, 1, Fault::InputOutput);
    let sent = body(b"abc", &[3], Last::End);
    let received = receive_all(&store, &Pool::new(1), UploadId::random(), sent).await;
    assert!(matches!(received.outcome, Err(ReceiveError::Store(Error::Io(_)))));
    assert_eq!(received.hasher.finish(), Algorithm::Sha256.digest(b""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_agree_with_the_upload() {
    let root = TempDir::new().unwrap();
    let store = Disk::open(root.path(), Durability::Relaxed).unwrap();
    let (id, bytes) = (UploadId::random(), noise(80 * 1024 * 1024));
    let head = 1000;
    let mut hasher = fresh();
    hasher.update(&bytes[..head]);
    crate::blobs::conformance::append(&store, id, 0, &bytes[..head]).await;
    let append = store.append(id, head as u64).await.unwrap();

    let recorded = AtomicUsize::new(0);
    let record = async |checkpoint: Checkpoint| {
        let so_far = head + usize::try_from(checkpoint.written).unwrap();
        assert!(store.upload_len(id).await.unwrap() >= Some(so_far as u64));
        assert_eq!(checkpoint.hasher.finish(), Algorithm::Sha256.digest(&bytes[..so_far]));
        recorded.fetch_add(1, Ordering::SeqCst);
    };
    let rest = body(&bytes[head..], &[300_000], Last::End);
    let received = receive(rest, append, hasher, &Pool::new(8), None, record).await;
    received.outcome.unwrap();
    assert_eq!(recorded.load(Ordering::SeqCst), 1);
    assert_eq!(received.hasher.finish(), Algorithm::Sha256.digest(&bytes));
}

/// Many more uploads than buffers, some of which never send more than their first bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_clients_do_not_keep_others_from_buffers() {
    let root = TempDir::new().unwrap();
    let store = Disk::open(root.path(), Durability::Relaxed).unwrap();
    let pool = Pool::new(2);
    let mut silent = tokio::task::JoinSet::new();
    let mut busy = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (store, pool) = (store.clone(), pool.clone());
        silent.spawn({
            let (store, pool) = (store.clone(), pool.clone());
            async move {
                let body = body(&[1; 100], &[10], Last::Silence);
                receive_all(&store, &pool, UploadId::random(), body).await;
            }
        });
        busy.spawn(async move {
            let (id, bytes) = (UploadId::random(), noise(2 * BUFFER_LEN + n));
            let mut body = body(&bytes, &[50_000 + n], Last::End);
            body.slow = true;
            let received = receive_all(&store, &pool, id, body).await;
            assert_stored(&store, id, received, &bytes).await;
        });
    }
    busy.join_all().await;
    silent.shutdown().await;
    // All buffers come back, as soon as what is on its way was written.
    let _all = (pool.acquire().await, pool.acquire().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_receive_leaves_a_usable_upload() {
    let root = TempDir::new().unwrap();
    let store = Disk::open(root.path(), Durability::Full).unwrap();
    let (pool, id) = (Pool::new(2), UploadId::random());
    for _ in 0..20 {
        let sent = body(&noise(4 * BUFFER_LEN), &[BUFFER_LEN], Last::Silence);
        let cancelled = receive_all(&store, &pool, id, sent);
        let mut cancelled: BoxFuture<'_, Received> = Box::pin(cancelled);
        // Let it get somewhere, anywhere.
        for _ in 0..3 {
            tokio::select! {
                biased;
                _ = &mut cancelled => unreachable!("its body never ends"),
                () = tokio::task::yield_now() => {}
            }
        }
        drop(cancelled);
        let mut bytes = noise(2 * BUFFER_LEN + 9);
        bytes.reverse();
        let received = receive_all(&store, &pool, id, body(&bytes, &[70_000], Last::End)).await;
        let location = location_of(&bytes, id);
        assert_eq!(received.hasher.finish(), *location.digest());
        store.finish(id, &location).await.unwrap();
        assert_eq!(store.verify(&location).await.unwrap(), *location.digest());
        store.delete(&location).await.unwrap();
    }
    // All buffers come back, as soon as what is on its way was written.
    let _all = (pool.acquire().await, pool.acquire().await);
}
