use std::io::Write;

use super::*;

#[tokio::test]
async fn buffer_returns_when_the_last_clone_drops() {
    let pool = Pool::new(1);
    let mut buffer = pool.acquire().await;
    buffer.take_from(&mut Bytes::from_static(b"abc"));
    let chunk = buffer.freeze();
    let clone = chunk.clone();
    assert_eq!(pool.available(), 0);
    drop(chunk);
    assert_eq!((&clone[..], pool.available()), (&b"abc"[..], 0));
    drop(clone);
    assert_eq!(pool.available(), 1);
}

#[tokio::test]
async fn recycled_buffer_is_empty() {
    let pool = Pool::new(1);
    let mut buffer = pool.acquire().await;
    buffer.take_from(&mut Bytes::from_static(b"secret"));
    drop(buffer.freeze());
    let buffer = pool.acquire().await;
    assert!(buffer.is_empty() && !buffer.is_full());
}

#[tokio::test]
async fn buffer_takes_no_more_than_fits() {
    let mut source = Bytes::from(vec![7; BUFFER_LEN + 5]);
    let mut buffer = Pool::new(1).acquire().await;
    buffer.take_from(&mut source);
    assert_eq!((buffer.len(), source.len()), (BUFFER_LEN, 5));
    assert!(buffer.is_full());
    buffer.take_from(&mut source);
    assert_eq!(source.len(), 5);
}

#[tokio::test]
async fn buffer_reads_a_range_of_a_file() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let mut buffer = Pool::new(1).acquire().await;
    assert_eq!(buffer.read_at(&file, 2, 3).unwrap(), 3);
    assert_eq!(buffer.read_at(&file, 8, 100).unwrap(), 2);
    assert_eq!(buffer.read_at(&file, 10, 100).unwrap(), 0);
    assert_eq!(buffer.as_ref(), b"23489");
}

#[tokio::test]
async fn burst_does_not_stay_in_memory() {
    let pool = Pool::new(2 * KEPT_IDLE);
    let mut held = Vec::new();
    while pool.available() > 0 {
        held.push(pool.acquire().await);
    }
    drop(held);
    assert_eq!(pool.available(), 2 * KEPT_IDLE);
    assert_eq!(pool.0.idle().len(), KEPT_IDLE);
}
