use super::*;
use crate::blobs::Memory;
use crate::blobs::conformance::{self, append, location_of, put};

fn faulty() -> Faulty {
    Faulty::new(Arc::new(Memory::new()))
}

fn chunk(bytes: &'static [u8]) -> Chunk {
    Bytes::from_static(bytes).into()
}

#[tokio::test]
async fn wrapper_without_faults_conforms() {
    conformance::run(&faulty()).await;
}

#[tokio::test]
async fn nth_call_fails_and_only_it() {
    let store = faulty();
    store.probe().await.unwrap();
    store.fail(Operation::Probe, 2, Fault::ReadOnly);
    store.probe().await.unwrap();
    assert!(matches!(store.probe().await, Err(Error::ReadOnly(_))));
    store.probe().await.unwrap();
    assert_eq!(store.calls(Operation::Probe), 4);
}

#[tokio::test]
async fn lasting_fault_ends_when_mended() {
    let store = faulty();
    store.fail_always(Operation::Probe, Fault::InputOutput);
    for _ in 0..2 {
        assert!(matches!(store.probe().await, Err(Error::Io(_))));
    }
    store.mend();
    store.probe().await.unwrap();
}

#[tokio::test]
async fn failed_operation_is_not_done() {
    let store = faulty();
    let location = put(&store, b"abc").await;
    store.fail(Operation::Delete, 1, Fault::InputOutput);
    store.delete(&location).await.unwrap_err();
    assert_eq!(store.stat(&location).await.unwrap(), Some(3));
}

#[tokio::test]
async fn operation_with_a_lost_answer_is_done() {
    let store = faulty();
    let location = put(&store, b"abc").await;
    store.fail(Operation::Delete, 1, Fault::Lost);
    store.delete(&location).await.unwrap_err();
    assert_eq!(store.stat(&location).await.unwrap(), None);
}

#[tokio::test]
async fn cut_write_leaves_its_beginning() {
    let store = faulty();
    let id = UploadId::random();
    store.fail(Operation::Write, 1, Fault::Cut(2));
    let mut writer = store.append(id, 0).await.unwrap();
    let full = writer.write(chunk(b"abc")).await;
    assert!(matches!(full, Err(Error::Full(_))));
    drop(writer);
    assert_eq!(store.upload_len(id).await.unwrap(), Some(2));
}

#[tokio::test]
async fn full_store_fails_to_publish_and_can_be_tried_again() {
    let store = faulty();
    let id = UploadId::random();
    append(&store, id, 0, b"abc").await;
    store.fail(Operation::Finish, 1, Fault::NoSpace);
    let location = location_of(b"abc", id);
    let full = store.finish(id, &location).await.unwrap_err();
    assert!(matches!(full, Error::Full(_)) && full.is_unavailable());
    store.finish(id, &location).await.unwrap();
}

#[tokio::test]
async fn delayed_operation_is_done_later() {
    let store = faulty();
    let delay = Duration::from_millis(5);
    store.fail(Operation::Probe, 1, Fault::Delay(delay));
    let began = std::time::Instant::now();
    store.probe().await.unwrap();
    assert!(began.elapsed() >= delay);
}
