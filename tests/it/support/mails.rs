//! A server whose mails are files, and the mails that it wrote.

use std::path::PathBuf;

use havre::mail::Mailer;

use super::app::{Setup, TestApp};

/// The password of the administrator there.
pub const PASSWORD: &str = "correct horse battery";

/// Runs a test on a server with accounts where anyone signs up, on each engine.
pub async fn with_mail(test: impl AsyncFn(&mut TestApp)) {
    let setup = Setup::default()
        .set("server.open", "false")
        .set("auth.admin_password", PASSWORD)
        .set("auth.sign_up", "open")
        .set("mail.transport", "file")
        .set("mail.from", "Registry <registry@example.org>")
        .set("server.public_url", "https://registry.example.org");
    setup.on_each_engine(test).await;
}

fn directory(app: &TestApp) -> PathBuf {
    app.app.config.data_dir.join("mail")
}

/// Sends what is queued, and returns the mails, each decoded, removing them.
pub async fn mails_of(app: &TestApp) -> Vec<String> {
    let mailer = Mailer::new(&app.app.config.mail, &app.app.config.data_dir).unwrap().unwrap();
    app.app.send_mails(&mailer).await.unwrap();
    let Ok(entries) = std::fs::read_dir(directory(app)) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        // Quoted-printable breaks long lines.
        found.push(text.replace("=\r\n", "").replace("=3D", "="));
        std::fs::remove_file(path).unwrap();
    }
    found
}

/// The secret of the link in the one mail that comes next, which may be written after the answer.
pub async fn next_link(app: &TestApp) -> String {
    loop {
        if let Some(mail) = mails_of(app).await.pop() {
            return secret(&mail);
        }
        tokio::task::yield_now().await;
    }
}

/// The secret of the link in a mail.
pub fn secret(mail: &str) -> String {
    let start = mail.find("havre_lnk_").unwrap_or_else(|| panic!("no link in {mail}"));
    mail[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}
