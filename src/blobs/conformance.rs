//! What every store has to do. One suite, run by each of them and by the wrapper that injects faults.

use bytes::Bytes;
use oci::{Algorithm, Hasher};

use super::pool::BUFFER_LEN;
use super::{Blobs, Chunk, Error, Location, Reader, UploadId};

/// Runs the whole suite on an empty store, which is not empty afterwards.
pub async fn run(store: &dyn Blobs) {
    upload_becomes_blob(store).await;
    empty_upload_becomes_blob(store).await;
    large_upload_keeps_its_order(store).await;
    append_goes_on_at_an_offset(store).await;
    append_cuts_off_what_lies_behind(store).await;
    append_beyond_the_end_is_short(store).await;
    dropped_writer_keeps_the_upload_usable(store).await;
    newer_writer_supersedes_the_older(store).await;
    upload_is_hashed_again(store).await;
    finish_is_idempotent(store).await;
    finish_without_upload_is_not_found(store).await;
    abort_is_idempotent_and_final(store).await;
    same_bytes_pushed_twice_lie_apart(store).await;
    missing_blob_is_not_found(store).await;
    delete_is_idempotent_and_readers_read_on(store).await;
    quarantined_blob_is_gone(store).await;
    blobs_are_listed_in_pages(store).await;
    uploads_are_listed_oldest_first(store).await;
    store.probe().await.unwrap();
    store.probe().await.unwrap();
}

/// The location of these bytes, brought by this upload.
pub fn location_of(bytes: &[u8], id: UploadId) -> Location {
    Location::new(&Algorithm::Sha256.digest(bytes), id)
}

/// Appends bytes to an upload, in one chunk, and returns its length.
pub async fn append(store: &dyn Blobs, id: UploadId, offset: u64, bytes: &[u8]) -> u64 {
    let mut writer = store.append(id, offset).await.unwrap();
    writer.write(chunk(bytes)).await.unwrap();
    writer.close().await.unwrap()
}

/// Stores a blob.
pub async fn put(store: &dyn Blobs, bytes: &[u8]) -> Location {
    let id = UploadId::random();
    append(store, id, 0, bytes).await;
    let location = location_of(bytes, id);
    store.finish(id, &location).await.unwrap();
    location
}

/// Reads a blob as a whole.
pub async fn get(store: &dyn Blobs, location: &Location) -> Vec<u8> {
    read(&store.open(location).await.unwrap())
}

/// Reads an open blob as a whole.
pub fn read(reader: &Reader) -> Vec<u8> {
    match reader {
        Reader::Memory(bytes) => bytes.to_vec(),
        Reader::File { file, len } => {
            let mut bytes = vec![0; usize::try_from(*len).unwrap()];
            std::os::unix::fs::FileExt::read_exact_at(&**file, &mut bytes, 0).unwrap();
            bytes
        }
    }
}

fn chunk(bytes: &[u8]) -> Chunk {
    Bytes::copy_from_slice(bytes).into()
}

async fn upload_becomes_blob(store: &dyn Blobs) {
    let id = UploadId::random();
    assert_eq!(store.upload_len(id).await.unwrap(), None);
    assert_eq!(append(store, id, 0, b"hello").await, 5);
    assert_eq!(store.upload_len(id).await.unwrap(), Some(5));
    let location = location_of(b"hello", id);
    assert_eq!(store.stat(&location).await.unwrap(), None);

    store.finish(id, &location).await.unwrap();
    assert_eq!(store.upload_len(id).await.unwrap(), None);
    assert_eq!(store.stat(&location).await.unwrap(), Some(5));
    assert_eq!(get(store, &location).await, b"hello");
    assert_eq!(store.open(&location).await.unwrap().len(), 5);
    assert_eq!(store.verify(&location).await.unwrap(), *location.digest());
}

async fn empty_upload_becomes_blob(store: &dyn Blobs) {
    let id = UploadId::random();
    let writer = store.append(id, 0).await.unwrap();
    assert_eq!(writer.close().await.unwrap(), 0);
    assert_eq!(store.upload_len(id).await.unwrap(), Some(0));
    let location = location_of(b"", id);
    store.finish(id, &location).await.unwrap();
    assert!(store.open(&location).await.unwrap().is_empty());
}

async fn large_upload_keeps_its_order(store: &dyn Blobs) {
    let id = UploadId::random();
    let mut writer = store.append(id, 0).await.unwrap();
    let mut sent = Vec::new();
    for n in 0..40_u8 {
        let piece = vec![n; BUFFER_LEN / 8 + usize::from(n)];
        writer.write(chunk(&piece)).await.unwrap();
        sent.extend(piece);
    }
    assert!(writer.written() <= sent.len() as u64);
    assert_eq!(writer.close().await.unwrap(), sent.len() as u64);
    let location = location_of(&sent, id);
    store.finish(id, &location).await.unwrap();
    assert!(get(store, &location).await == sent);
    assert_eq!(store.verify(&location).await.unwrap(), *location.digest());
}

async fn append_goes_on_at_an_offset(store: &dyn Blobs) {
    let id = UploadId::random();
    append(store, id, 0, b"abc").await;
    let mut writer = store.append(id, 3).await.unwrap();
    assert_eq!(writer.written(), 3);
    writer.write(chunk(b"def")).await.unwrap();
    assert_eq!(writer.close().await.unwrap(), 6);
    let location = location_of(b"abcdef", id);
    store.finish(id, &location).await.unwrap();
    assert_eq!(get(store, &location).await, b"abcdef");
}

async fn append_cuts_off_what_lies_behind(store: &dyn Blobs) {
    let id = UploadId::random();
    append(store, id, 0, b"abcdef").await;
    assert_eq!(append(store, id, 2, b"X").await, 3);
    assert_eq!(store.upload_len(id).await.unwrap(), Some(3));
    // At offset 0 it begins anew.
    assert_eq!(append(store, id, 0, b"Y").await, 1);
    assert_eq!(store.upload_len(id).await.unwrap(), Some(1));
    store.abort(id).await.unwrap();
}

async fn append_beyond_the_end_is_short(store: &dyn Blobs) {
    let id = UploadId::random();
    let missing = store.append(id, 1).await.err().unwrap();
    assert!(matches!(missing, Error::Short { expected: 1, actual: 0 }), "{missing}");
    append(store, id, 0, b"abc").await;
    let short = store.append(id, 4).await.err().unwrap();
    assert!(matches!(short, Error::Short { expected: 4, actual: 3 }), "{short}");
    assert_eq!(store.upload_len(id).await.unwrap(), Some(3));
    store.abort(id).await.unwrap();
}

async fn dropped_writer_keeps_the_upload_usable(store: &dyn Blobs) {
    let id = UploadId::random();
    append(store, id, 0, b"ab").await;
    let mut dropped = store.append(id, 2).await.unwrap();
    for _ in 0..4 {
        dropped.write(chunk(&[b'X'; 1000])).await.unwrap();
    }
    drop(dropped);
    append(store, id, 2, b"cd").await;
    let location = location_of(b"abcd", id);
    store.finish(id, &location).await.unwrap();
    assert_eq!(get(store, &location).await, b"abcd");
}

async fn newer_writer_supersedes_the_older(store: &dyn Blobs) {
    let id = UploadId::random();
    append(store, id, 0, b"ab").await;
    let mut older = store.append(id, 2).await.unwrap();
    let mut newer = store.append(id, 2).await.unwrap();
    // The refusal may come late, but it comes, and no byte of the older gets through.
    let written = older.write(chunk(b"X")).await;
    let closed = written.and(older.close().await.map(drop));
    assert!(matches!(closed, Err(Error::Superseded)), "{closed:?}");
    newer.write(chunk(b"c")).await.unwrap();
    assert_eq!(newer.close().await.unwrap(), 3);
    let location = location_of(b"abc", id);
    store.finish(id, &location).await.unwrap();
    assert_eq!(get(store, &location).await, b"abc");
}

async fn upload_is_hashed_again(store: &dyn Blobs) {
    let id = UploadId::random();
    let missing = store.hash_upload(id, 1, Algorithm::Sha256).await;
    assert!(matches!(missing, Err(Error::Short { expected: 1, actual: 0 })));
    append(store, id, 0, b"abcdef").await;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let hasher = store.hash_upload(id, 3, algorithm).await.unwrap();
        assert_eq!(hasher.finish(), algorithm.digest(b"abc"));
    }
    let short = store.hash_upload(id, 7, Algorithm::Sha256).await;
    assert!(matches!(short, Err(Error::Short { expected: 7, actual: 6 })));
    let empty: Hasher = store.hash_upload(id, 0, Algorithm::Sha256).await.unwrap();
    assert_eq!(empty.finish(), Algorithm::Sha256.digest(b""));
    store.abort(id).await.unwrap();
}

async fn finish_is_idempotent(store: &dyn Blobs) {
    let location = put(store, b"again").await;
    store.finish(location.upload(), &location).await.unwrap();
    store.finish(location.upload(), &location).await.unwrap();
    assert_eq!(get(store, &location).await, b"again");
}

async fn finish_without_upload_is_not_found(store: &dyn Blobs) {
    let id = UploadId::random();
    let missing = store.finish(id, &location_of(b"x", id)).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
}

async fn abort_is_idempotent_and_final(store: &dyn Blobs) {
    let id = UploadId::random();
    store.abort(id).await.unwrap();
    append(store, id, 0, b"abc").await;
    let mut writer = store.append(id, 3).await.unwrap();
    store.abort(id).await.unwrap();
    store.abort(id).await.unwrap();
    // A writer from before does not bring it back.
    let written = writer.write(chunk(b"X")).await;
    let closed = written.and(writer.close().await.map(drop));
    assert!(matches!(closed, Err(Error::Superseded)), "{closed:?}");
    assert_eq!(store.upload_len(id).await.unwrap(), None);
    let refused = store.finish(id, &location_of(b"abc", id)).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
}

async fn same_bytes_pushed_twice_lie_apart(store: &dyn Blobs) {
    let first = put(store, b"twin").await;
    let second = put(store, b"twin").await;
    assert_ne!(first, second);
    assert_eq!(first.digest(), second.digest());
    store.delete(&first).await.unwrap();
    assert_eq!(get(store, &second).await, b"twin");
}

async fn missing_blob_is_not_found(store: &dyn Blobs) {
    let location = location_of(b"nowhere", UploadId::random());
    assert_eq!(store.stat(&location).await.unwrap(), None);
    // Twice: the second look-up may be answered from a cache.
    for _ in 0..2 {
        assert!(matches!(store.open(&location).await, Err(Error::NotFound(_))));
    }
    assert!(matches!(store.verify(&location).await, Err(Error::NotFound(_))));
    assert!(matches!(store.quarantine(&location).await, Err(Error::NotFound(_))));
    store.delete(&location).await.unwrap();
}

async fn delete_is_idempotent_and_readers_read_on(store: &dyn Blobs) {
    let location = put(store, b"doomed").await;
    let reader = store.open(&location).await.unwrap();
    store.delete(&location).await.unwrap();
    store.delete(&location).await.unwrap();
    assert_eq!(read(&reader), b"doomed");
    assert!(matches!(store.open(&location).await, Err(Error::NotFound(_))));
}

async fn quarantined_blob_is_gone(store: &dyn Blobs) {
    let location = put(store, b"rotten").await;
    store.quarantine(&location).await.unwrap();
    store.quarantine(&location).await.unwrap();
    assert!(matches!(store.open(&location).await, Err(Error::NotFound(_))));
    assert_eq!(store.stat(&location).await.unwrap(), None);
    let listed = store.list(None, usize::MAX).await.unwrap();
    assert!(listed.iter().all(|(listed, _)| *listed != location));
    // The upload's row may lead here once more; what was quarantined stays so.
    let refused = store.finish(location.upload(), &location).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
}

async fn blobs_are_listed_in_pages(store: &dyn Blobs) {
    for n in 0..40_u8 {
        put(store, &vec![n; usize::from(n)]).await;
    }
    let id = UploadId::random();
    append(store, id, 0, b"sha512").await;
    let other = Location::new(&Algorithm::Sha512.digest(b"sha512"), id);
    store.finish(id, &other).await.unwrap();

    let whole = store.list(None, usize::MAX).await.unwrap();
    assert!(whole.len() > 40);
    assert!(whole.is_sorted());
    assert_eq!(whole.last(), Some(&(other.clone(), 6)));
    assert!(store.list(None, 0).await.unwrap().is_empty());
    assert!(store.list(Some(&other), 9).await.unwrap().is_empty());

    let mut paged: Vec<(Location, u64)> = Vec::new();
    loop {
        let after = paged.last().map(|(location, _)| location.clone());
        let page = store.list(after.as_ref(), 7).await.unwrap();
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, whole);
}

async fn uploads_are_listed_oldest_first(store: &dyn Blobs) {
    let mut ids = Vec::new();
    for n in 1..=3_u8 {
        let id = UploadId::random();
        append(store, id, 0, &vec![n; usize::from(n)]).await;
        ids.push(id);
    }
    let listed = store.list_uploads(usize::MAX).await.unwrap();
    assert!(listed.is_sorted_by_key(|(_, modified, _)| *modified));
    for (id, len) in ids.iter().zip(1..) {
        assert!(listed.iter().any(|(listed, _, bytes)| listed == id && *bytes == len));
    }
    let oldest = store.list_uploads(2).await.unwrap();
    assert_eq!(oldest[..], listed[..2]);
    for id in ids {
        store.abort(id).await.unwrap();
    }
}
