//! An HTTP/1 connection on which anything may be sent.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// A connection.
pub struct Raw<T>(BufReader<T>);

impl<T: AsyncRead + AsyncWrite + Unpin> Raw<T> {
    pub fn new(stream: T) -> Self {
        Self(BufReader::new(stream))
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.write_all(bytes.as_ref()).await?;
        self.0.flush().await
    }

    /// Says that nothing more comes, and still reads.
    pub async fn end(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }

    /// Reads the head of an answer; empty if the connection ends before.
    pub async fn head(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.0.read_until(b'\n', &mut head).await? == 0 {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    /// Reads an answer whose length is announced; returns its status, 0 if the connection ended before, and its text.
    pub async fn answer(&mut self) -> io::Result<(u16, String)> {
        let head = self.head().await?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let length = head.lines().filter_map(|line| line.split_once(": "));
        let length =
            length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).find_map(|(_, n)| n.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).await?;
        Ok((status, head + &String::from_utf8_lossy(&body)))
    }

    /// Reads to the end of the connection.
    pub async fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await?;
        Ok(rest)
    }
}
