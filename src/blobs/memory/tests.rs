use super::*;
use crate::blobs::conformance::{self, get, put};

#[tokio::test]
async fn memory_conforms() {
    conformance::run(&Memory::new()).await;
}

#[tokio::test]
async fn tampered_blob_has_another_digest() {
    let memory = Memory::new();
    let location = put(&memory, b"abc").await;
    assert!(memory.tamper(&location, Bytes::from_static(b"abd")));
    assert_eq!(get(&memory, &location).await, b"abd");
    let found = memory.verify(&location).await.unwrap();
    assert_eq!(found, Algorithm::Sha256.digest(b"abd"));
    memory.quarantine(&location).await.unwrap();
    assert!(!memory.tamper(&location, Bytes::new()));
}
