//! How mails leave the server: by SMTP, or as files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Envelope, message};
use crate::config::{Mail, MailSecurity, MailTransport};

/// Why a mail did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {why}")]
pub struct Failure {
    /// What failed: the configuration, DNS, connect, TLS, authentication, the recipient …
    pub step: &'static str,
    /// What was said about it.
    pub why: String,
    /// Whether trying again is of no use.
    pub for_good: bool,
}

fn failure(step: &'static str, why: impl Into<String>) -> Failure {
    Failure { step, why: why.into(), for_good: false }
}

enum Way {
    Smtp { transport: Box<AsyncSmtpTransport<Tokio1Executor>>, host: String, port: u16, timeout: Duration },
    File(PathBuf),
}

/// Sends mails as the configuration says.
pub struct Mailer {
    way: Way,
    from: String,
}

impl Mailer {
    /// Makes one; nothing when mails are not sent.
    pub fn new(config: &Mail, data_dir: &Path) -> Result<Option<Self>, Failure> {
        let way = match config.transport {
            MailTransport::Off => return Ok(None),
            MailTransport::File => Way::File(data_dir.join("mail")),
            MailTransport::Smtp => smtp(config)?,
        };
        if config.from.is_empty() {
            return Err(failure("configuration", "mail.from is not set; name the address that mails come from"));
        }
        Ok(Some(Self { way, from: config.from.clone() }))
    }

    /// Sends a mail.
    pub async fn send(&self, envelope: &Envelope) -> Result<(), Failure> {
        let message = message::message(envelope, &self.from).map_err(|why| Failure {
            step: "the message",
            why,
            for_good: true,
        })?;
        match &self.way {
            Way::File(directory) => {
                let directory = directory.clone();
                let written = tokio::task::spawn_blocking(move || write(&directory, &message)).await;
                written
                    .map_err(|error| failure("file", error.to_string()))?
                    .map_err(|error| failure("file", error.to_string()))
            }
            Way::Smtp { transport, .. } => {
                Box::pin(transport.send(message)).await.map(drop).map_err(|error| tell(&error))
            }
        }
    }

    /// Tries the name and the connection, each for itself, so that what fails has a name.
    pub async fn reach(&self) -> Result<(), Failure> {
        let Way::Smtp { host, port, timeout, .. } = &self.way else { return Ok(()) };
        let found = tokio::time::timeout(*timeout, tokio::net::lookup_host((host.as_str(), *port))).await;
        let addresses: Vec<_> = found
            .map_err(|_| failure("DNS", format!("no answer about {host} in time; check mail.host")))?
            .map_err(|error| failure("DNS", format!("{host} is not found: {error}; check mail.host")))?
            .collect();
        let connected = tokio::time::timeout(*timeout, tokio::net::TcpStream::connect(&*addresses)).await;
        let why = |why: String| failure("connect", format!("{host}:{port}: {why}; check mail.port and the firewall"));
        connected.map_err(|_| why("no answer in time".to_owned()))?.map_err(|error| why(error.to_string()))?;
        Ok(())
    }
}

fn smtp(config: &Mail) -> Result<Way, Failure> {
    let host = config.host.clone();
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if config.security == MailSecurity::None && !local && !config.insecure {
        let why = "mail.security is `none`, and links and passwords would cross the network in the clear; \
                   use `starttls` or `implicit`, or set mail.insecure";
        return Err(failure("configuration", why));
    }
    let parameters = || {
        let mut builder = TlsParameters::builder(host.clone());
        if let Some(path) = &config.ca_file {
            let pem =
                std::fs::read(path).map_err(|error| failure("mail.ca_file", format!("{}: {error}", path.display())))?;
            builder = builder.add_root_certificate(
                Certificate::from_pem(&pem).map_err(|error| failure("mail.ca_file", error.to_string()))?,
            );
        }
        builder.build().map_err(|error| failure("TLS", error.to_string()))
    };
    let (tls, usual) = match config.security {
        MailSecurity::StartTls => (Tls::Required(parameters()?), 587),
        MailSecurity::Implicit => (Tls::Wrapper(parameters()?), 465),
        MailSecurity::None => (Tls::None, 25),
    };
    let port = u16::try_from(config.port).ok().filter(|port| *port > 0).unwrap_or(usual);
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.clone())
        .port(port)
        .tls(tls)
        .timeout(Some(config.timeout));
    if let Some(password) = password(config)?.filter(|_| !config.user.is_empty()) {
        builder = builder.credentials(Credentials::new(config.user.clone(), password));
    }
    Ok(Way::Smtp { transport: Box::new(builder.build()), host, port, timeout: config.timeout })
}

fn password(config: &Mail) -> Result<Option<String>, Failure> {
    if let Some(password) = &config.password {
        return Ok(Some(password.reveal().to_owned()));
    }
    let Some(path) = &config.password_file else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| failure("mail.password_file", format!("{}: {error}", path.display())))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Says which step it was that failed.
fn tell(error: &lettre::transport::smtp::Error) -> Failure {
    let mut why = error.to_string();
    let mut tls = error.is_tls();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !why.contains(&text) {
            why = format!("{why}: {text}");
        }
        // A handshake that fails comes as an I/O error.
        let io = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let wrapped = io.and_then(|error| error.downcast_ref::<rustls::Error>());
        tls |= wrapped.is_some() || inner.is::<rustls::Error>();
        cause = inner.source();
    }
    let code = error.status().map(|code| code.to_string());
    let step = match code.as_deref() {
        Some("530" | "534" | "535" | "538" | "454") => "authentication",
        Some("550" | "551" | "552" | "553" | "554" | "450" | "451" | "452") => "the server refused sender or recipient",
        Some(_) => "SMTP",
        None if tls || why.contains("STARTTLS") => "TLS",
        None if error.is_timeout() => "time ran out",
        None if error.is_client() => "SMTP",
        None => "connect",
    };
    // That the server does not know us is mended by the operator, and the mail is not lost meanwhile.
    Failure { step, why, for_good: error.is_permanent() && step != "authentication" }
}

/// Writes a mail as a file of its own that only this user can read; nobody sees half of one.
fn write(directory: &Path, message: &Message) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let name = uuid::Uuid::now_v7().to_string();
    let unfinished = directory.join(format!(".{name}"));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(&message.formatted())?;
    file.sync_all()?;
    std::fs::rename(unfinished, directory.join(format!("{name}.eml")))
}
