//! A small SMTP server on a port of this machine: it takes mails in the clear, and refuses what it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The server, and what it took.
pub struct Smtp {
    pub port: u16,
    /// Each mail as its bytes came, with the recipient in the first line.
    pub taken: Arc<Mutex<Vec<String>>>,
}

impl Smtp {
    /// Starts one. A recipient that begins with `no` is refused; with `password`, so is any other password.
    pub fn start(password: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that only looks whether somebody is there goes away at once.
                let _ = stream.and_then(|stream| serve(stream, password, &kept));
            }
        });
        Self { port, taken }
    }
}

fn serve(stream: TcpStream, password: Option<&str>, taken: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    out.write_all(b"220 test\r\n")?;
    let mut recipient = String::new();
    while let Some(line) = lines.next().transpose()? {
        let answer: String = match line.split([' ', ':']).next().unwrap().to_uppercase().as_str() {
            "EHLO" if password.is_some() => "250-test\r\n250 AUTH PLAIN".to_owned(),
            "EHLO" | "MAIL" => "250 test".to_owned(),
            "AUTH" if line.ends_with(password.unwrap_or_default()) => "235 yes".to_owned(),
            "AUTH" => "535 5.7.8 wrong".to_owned(),
            "RCPT" if line.contains("<no") => "550 5.1.1 nobody".to_owned(),
            "RCPT" => {
                recipient = line;
                "250 yes".to_owned()
            }
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let mut mail = recipient.clone();
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    mail.push('\n');
                    mail.push_str(&line);
                }
                taken.lock().unwrap().push(mail);
                "250 taken".to_owned()
            }
            "QUIT" => return out.write_all(b"221 bye\r\n"),
            _ => "500 what".to_owned(),
        };
        out.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
