use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::blobs::conformance::{self, append, get, location_of, put};
use crate::blobs::{Chunk, Faulty};

fn disk() -> (TempDir, Disk) {
    let root = TempDir::new().unwrap();
    let disk = Disk::open(root.path(), Durability::Full).unwrap();
    (root, disk)
}

fn chunk(bytes: &'static [u8]) -> Chunk {
    bytes::Bytes::from_static(bytes).into()
}

#[tokio::test]
async fn disk_conforms() {
    let (root, disk) = disk();
    conformance::run(&disk).await;
    assert_eq!(disk.0.claims.len(), 0);
    assert_eq!(fs::read_dir(root.path().join("uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn relaxed_disk_conforms() {
    let root = TempDir::new().unwrap();
    conformance::run(&Disk::open(root.path(), Durability::Relaxed).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_behind_a_wrapper_without_faults_conforms() {
    let (_root, disk) = disk();
    conformance::run(&Faulty::new(Arc::new(disk))).await;
}

#[tokio::test]
async fn only_the_owner_may_look_inside() {
    let (root, disk) = disk();
    let location = put(&disk, b"secret").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let blob = root.path().join("blobs").join(location.as_str());
    assert_eq!(mode(&blob), 0o600);
    let root = root.path();
    for directory in [blob.parent().unwrap(), &root.join("blobs/sha256"), &root.join("uploads")] {
        assert_eq!(mode(directory), 0o700, "{}", directory.display());
    }
}

#[tokio::test]
async fn blobs_outlive_the_process() {
    let (root, first) = disk();
    let location = put(&first, b"kept").await;
    let id = UploadId::random();
    append(&first, id, 0, b"half").await;
    drop(first);
    let second = Disk::open(root.path(), Durability::Full).unwrap();
    assert_eq!(get(&second, &location).await, b"kept");
    assert_eq!(append(&second, id, 4, b"way").await, 7);
}

#[tokio::test]
async fn blob_renamed_before_a_crash_is_finished_afterwards() {
    let (root, first) = disk();
    let id = UploadId::random();
    append(&first, id, 0, b"abc").await;
    let location = location_of(b"abc", id);
    let path = root.path().join("blobs").join(location.as_str());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::rename(root.path().join("uploads").join(id.to_string()), &path).unwrap();
    let second = Disk::open(root.path(), Durability::Full).unwrap();
    second.finish(id, &location).await.unwrap();
    assert_eq!(get(&second, &location).await, b"abc");
}

#[tokio::test]
async fn removed_directory_of_blobs_is_made_again() {
    let (root, disk) = disk();
    let first = put(&disk, b"abc").await;
    let directory = root.path().join("blobs").join(first.as_str());
    fs::remove_dir_all(directory.parent().unwrap()).unwrap();
    let second = put(&disk, b"abc").await;
    assert_eq!(get(&disk, &second).await, b"abc");
}

#[tokio::test]
async fn truncated_upload_is_short() {
    let (root, disk) = disk();
    let id = UploadId::random();
    append(&disk, id, 0, b"abcdef").await;
    let path = root.path().join("uploads").join(id.to_string());
    fs::File::options().write(true).open(path).unwrap().set_len(2).unwrap();
    let short = disk.append(id, 6).await.err().unwrap();
    assert!(matches!(short, Error::Short { expected: 6, actual: 2 }));
}

#[tokio::test]
async fn truncated_blob_has_another_digest() {
    let (root, disk) = disk();
    let location = put(&disk, b"abcdef").await;
    let path = root.path().join("blobs").join(location.as_str());
    fs::File::options().write(true).open(path).unwrap().set_len(2).unwrap();
    assert_eq!(disk.verify(&location).await.unwrap(), Algorithm::Sha256.digest(b"ab"));
    disk.quarantine(&location).await.unwrap();
    let kept = fs::read_dir(root.path().join("quarantine")).unwrap();
    assert_eq!(kept.count(), 1);
}

#[tokio::test]
async fn directory_in_place_of_a_blob_is_corrupt() {
    let (root, disk) = disk();
    let location = location_of(b"abc", UploadId::random());
    fs::create_dir_all(root.path().join("blobs").join(location.as_str())).unwrap();
    assert!(matches!(disk.open(&location).await, Err(Error::Corrupt(_))));
    assert!(matches!(disk.stat(&location).await, Err(Error::Corrupt(_))));
}

#[tokio::test]
async fn foreign_files_are_not_listed() {
    let (root, disk) = disk();
    let location = put(&disk, b"abc").await;
    let mine = root.path().join("blobs").join(location.as_str());
    fs::write(mine.with_file_name("lost+found"), b"").unwrap();
    fs::write(root.path().join("blobs/sha256/README"), b"").unwrap();
    fs::write(root.path().join("uploads/README"), b"").unwrap();
    assert_eq!(disk.list(None, 9).await.unwrap(), [(location, 3)]);
    assert_eq!(disk.list_uploads(9).await.unwrap(), []);
}

#[tokio::test]
async fn open_finds_cached_and_uncached_blobs_alike() {
    let (_root, disk) = disk();
    let location = put(&disk, b"abc").await;
    let cold = disk.0.layout.open_blob(&location).unwrap();
    assert_eq!(conformance::read(&cold), b"abc");
    if let Some(warm) = disk.0.layout.open_cached(&location) {
        assert_eq!(conformance::read(&warm.unwrap()), b"abc");
    }
}

#[test]
fn unusable_root_is_named() {
    let root = TempDir::new().unwrap();
    let file = root.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Disk::open(&file, Durability::Full).unwrap_err();
    assert!(error.to_string().contains(&*file.display().to_string()), "{error}");
    assert!(error.is_unavailable());
}

#[test]
fn parts_on_different_file_systems_are_refused() {
    let (root, elsewhere) = (TempDir::new().unwrap(), Path::new("/dev/shm"));
    let device = |path: &Path| fs::metadata(path).map(|m| m.dev()).ok();
    // Where the machine has no second file system to try it on, there is nothing to see.
    let Ok(other) = TempDir::new_in(elsewhere) else {
        return;
    };
    if device(root.path()) == device(other.path()) {
        return;
    }
    symlink(other.path(), root.path().join("uploads")).unwrap();
    let error = Disk::open(root.path(), Durability::Full).unwrap_err();
    assert!(error.to_string().contains("cannot move a file to"), "{error}");
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn failed_sync_takes_the_blob_away() {
    let (root, disk) = disk();
    let location = put(&disk, b"abc").await;
    let blob = root.path().join("blobs").join(location.as_str());
    fs::remove_file(&blob).unwrap();
    // What cannot be opened cannot be synced either.
    symlink(&blob, &blob).unwrap();
    disk.0.make_durable(&location).unwrap_err();
    assert!(blob.symlink_metadata().is_err());
    let gone = disk.finish(location.upload(), &location).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_survive_a_crowd() {
    let (_root, disk) = disk();
    let id = UploadId::random();
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let disk = disk.clone();
        crowd.spawn(async move {
            let mut writer = disk.append(id, 0).await?;
            writer.write(chunk(b"abc")).await?;
            writer.close().await
        });
    }
    let results = crowd.join_all().await;
    assert!(results.iter().any(|result| matches!(result, Ok(3))));
    assert!(results.iter().all(|result| matches!(result, Ok(3) | Err(Error::Superseded))));
    assert_eq!(disk.upload_len(id).await.unwrap(), Some(3));
    assert_eq!(disk.0.claims.len(), 0);
}
