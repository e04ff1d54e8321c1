//! How mails leave the server.

use std::path::PathBuf;
use std::time::Duration;

use super::Hidden;
use super::concern::{choice, concern};

concern! {
    /// How mails leave the server.
    pub struct Mail in mail {
        /// Whether mails are sent (`smtp`), written as files into the directory `mail` of the data directory (`file`), or
        /// not sent at all (`off`). Sign-up and password reset by mail need one of the first two.
        transport: MailTransport = MailTransport::Off;
        /// Address that mails come from.
        from: String = String::new(), example = "registry@example.org";
        /// Host of the SMTP server.
        host: String = "localhost".to_owned(), example = "smtp.example.org";
        /// Port of the SMTP server; 0 takes the usual one: 587, with `implicit` 465, with `none` 25.
        port: usize = 0, within = 0..=65_535, example = "587";
        /// How the connection is protected: it begins in the clear and has to become TLS before anything is said
        /// (`starttls`), it is TLS from the first byte (`implicit`), or it is not (`none`), which is taken for a server on
        /// this machine only, unless `mail.insecure` is set.
        security: MailSecurity = MailSecurity::StartTls;
        /// Whether mails and the password may cross a network in the clear.
        insecure: bool = false;
        /// User name at the SMTP server; without one, nothing is authenticated.
        user: String = String::new(), example = "registry@example.org";
        /// Password at the SMTP server.
        password: Option<Hidden> = None;
        /// File that holds `mail.password`.
        password_file: Option<PathBuf> = None, example = "/etc/havre/mail-password";
        /// PEM file with the certificates of the authorities that the SMTP server's certificate may come from, beside
        /// the public ones.
        ca_file: Option<PathBuf> = None, example = "/etc/havre/mail-ca.crt";
        /// How long the SMTP server may take for each step.
        timeout: Duration = Duration::from_secs(20),
            within = Duration::from_secs(1)..=Duration::from_mins(10), example = "1m";
    }
}

choice! {
    /// How mails leave the server.
    pub enum MailTransport {
        /// Not at all.
        Off = "off",
        /// By SMTP.
        Smtp = "smtp",
        /// As files.
        File = "file",
    }
}

choice! {
    /// How the connection to the SMTP server is protected.
    pub enum MailSecurity {
        /// It begins in the clear and has to become TLS.
        StartTls = "starttls",
        /// It is TLS from the first byte.
        Implicit = "implicit",
        /// It is not.
        None = "none",
    }
}
