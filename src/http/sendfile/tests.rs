//! Tokens, slots, and what the writer makes of them.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Set in the child process that reads a token.
const CHILD: &str = "HAVRE_TEST_READS_A_TOKEN";

fn source(content: &[u8]) -> Arc<Source> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    Arc::new(Source::new(Arc::new(file)))
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index / 7 % 251) as u8).collect()
}

async fn pair() -> (SendfileStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (SendfileStream::new(listener.accept().await.unwrap().0), client)
}

/// Writes all of `bufs`, the way hyper does: what is left of them is passed again.
async fn write_all(stream: &mut SendfileStream, bufs: &[Bytes]) -> io::Result<()> {
    let mut bufs = bufs.to_vec();
    loop {
        bufs.retain(|buf| !buf.is_empty());
        if bufs.is_empty() {
            return Ok(());
        }
        let slices: Vec<_> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
        let mut written = stream.write_vectored(&slices).await?;
        for buf in &mut bufs {
            let count = written.min(buf.len());
            drop(buf.split_to(count));
            written -= count;
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tells the test and its child apart; no setting of the program")]
fn reading_a_token_faults() {
    if std::env::var_os(CHILD).is_some() {
        let token = token(&source(b"hello"), 0, 5).unwrap();
        // Unless the token can be read, which is what must not be, this line is never done.
        println!("{}", token[0]);
        return;
    }
    let name = format!("{}::reading_a_token_faults", module_path!());
    let name = name.split_once("::").unwrap().1.to_owned();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    const SIGSEGV: i32 = 11;
    assert_eq!(child.status.signal(), Some(SIGSEGV), "{child:?}");
}

#[tokio::test]
async fn memory_and_windows_arrive_in_order() {
    let (mut server, mut client) = pair().await;
    let content = content(3 * PIECE_BYTES + 17);
    let source = source(&content);
    let bufs = [
        Bytes::from_static(b"head "),
        token(&source, 0, 10).unwrap(),
        Bytes::from_static(b" between "),
        Bytes::from_static(b"two "),
        token(&source, 5, content.len() - 5).unwrap(),
        Bytes::from_static(b" tail"),
    ];
    let expected = [b"head ", &content[..10], b" between two ", &content[5..], b" tail"].concat();
    let reader = tokio::spawn(async move {
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        received
    });
    write_all(&mut server, &bufs).await.unwrap();
    drop(server);
    assert!(reader.await.unwrap() == expected);
}

#[tokio::test]
async fn token_is_sent_by_a_plain_write_too() {
    let (mut server, mut client) = pair().await;
    let token = token(&source(b"hello"), 1, 4).unwrap();
    server.write_all(&token).await.unwrap();
    let mut received = [0; 4];
    client.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"ello");
}

#[tokio::test]
async fn truncated_file_ends_the_transfer_after_its_head() {
    let (mut server, mut client) = pair().await;
    let source = source(b"hello");
    let bufs = [Bytes::from_static(b"head "), token(&source, 0, 100).unwrap()];
    let error = write_all(&mut server, &bufs).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    drop(server);
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"head hello");
}

#[tokio::test]
async fn file_system_without_sendfile_is_copied_from() {
    let (server, mut client) = pair().await;
    let content = content(COPY_BYTES * 2);
    let window = Window { source: source(&content), offset: 3, len: content.len() - 3 };
    server.tcp.writable().await.unwrap();
    let sent = copy_window(&server.tcp, &window).unwrap();
    let mut received = vec![0; sent];
    client.read_exact(&mut received).await.unwrap();
    assert_eq!(received, content[3..3 + sent]);
    let beyond = Window { offset: content.len() as u64, ..window };
    assert_eq!(copy_window(&server.tcp, &beyond).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn long_transfer_lets_others_run() {
    let (mut server, mut client) = pair().await;
    let content = content(WINDOW_BYTES);
    let token = token(&source(&content), 0, content.len()).unwrap();
    // On the one thread of this test the reader gets its turns only when the writer gives them.
    let reader = tokio::spawn(async move {
        let mut received = vec![0; WINDOW_BYTES];
        client.read_exact(&mut received).await.unwrap();
        received
    });
    write_all(&mut server, &[token]).await.unwrap();
    assert!(reader.await.unwrap() == content);
}

fn leaked(slots: usize) -> &'static Reservation {
    Box::leak(Box::new(Reservation::new(slots).unwrap()))
}

#[test]
fn slots_run_out_and_come_back() {
    let reservation = leaked(2);
    let window = Window { source: source(b"hello"), offset: 0, len: 5 };
    let one = reservation.claim(window.clone()).unwrap();
    let two = Bytes::from_owner(reservation.claim(window.clone()).unwrap());
    assert!(reservation.claim(window.clone()).is_none());
    let part = two.slice(2..);
    drop((one, two));
    let three = reservation.claim(window.clone()).unwrap();
    assert!(reservation.claim(window.clone()).is_none(), "a slice keeps the slot");
    drop((part, three));
    assert_eq!(lock(&reservation.free).len(), 2);
}

#[test]
fn address_leads_to_the_stretch_it_stands_for() {
    let reservation = leaked(3);
    let file = source(b"hello");
    let window = |offset| Window { source: Arc::clone(&file), offset, len: WINDOW_BYTES };
    let tokens = [0, 100, 200].map(|offset| Bytes::from_owner(reservation.claim(window(offset)).unwrap()));
    for (token, base) in tokens.iter().zip([0, 100, 200]) {
        for (skip, len) in [(0, WINDOW_BYTES), (1, 10), (WINDOW_BYTES - 1, 1)] {
            let part = token.slice(skip..skip + len);
            let found = reservation.find(part.as_ptr().addr(), part.len()).unwrap().unwrap();
            assert_eq!((found.offset, found.len), (base + skip as u64, len));
        }
    }
}

#[test]
fn address_that_stands_for_nothing_is_never_sent() {
    let reservation = leaked(1);
    assert!(reservation.find(reservation.base, 1).unwrap().is_err());
    let window = Window { source: source(b"hello"), offset: 0, len: 5 };
    let _token = reservation.claim(window).unwrap();
    assert!(reservation.find(reservation.base, 5).unwrap().is_ok());
    assert!(reservation.find(reservation.base, 6).unwrap().is_err());
    assert!(reservation.find(reservation.base + 6, 1).unwrap().is_err());
    assert!(reservation.find(reservation.base + WINDOW_BYTES, 1).is_none());
    assert!(reservation.find(reservation.base - 1, 1).is_none());
}

#[tokio::test]
async fn queue_of_a_socket_is_known() {
    let (mut server, mut client) = pair().await;
    assert_eq!(unacknowledged(server.tcp()).unwrap(), 0);
    while server.tcp.try_write(&[0; 65536]).is_ok() {}
    let full = unacknowledged(server.tcp()).unwrap();
    assert!(full > 0);
    // As much is read as waited, so the kernel must move some of the queue on.
    client.read_exact(&mut vec![0; usize::try_from(full).unwrap()]).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while unacknowledged(server.tcp()).unwrap() >= full {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    server.shutdown().await.unwrap();
}
