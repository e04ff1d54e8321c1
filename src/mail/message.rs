//! A mail as it goes out (RFC 5322).

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};

use super::Envelope;

/// Puts a mail together. Subject and addresses are encoded by the library, so that no text of a user ends a header.
pub(super) fn message(envelope: &Envelope, from: &str) -> Result<Message, String> {
    let from: Mailbox =
        from.parse().map_err(|error| format!("mail.from {from:?} is not an e-mail address: {error}"))?;
    let to: Mailbox =
        envelope.to.parse().map_err(|error| format!("the recipient's address cannot be used: {error}"))?;
    let (subject, text) = envelope.write();
    let id = format!("<{}@{}>", uuid::Uuid::new_v4(), from.email.domain());
    let message =
        Message::builder().from(from).to(to).subject(subject).message_id(Some(id)).header(ContentType::TEXT_PLAIN);
    let mut message = message.body(text).map_err(|error| format!("the mail cannot be put together: {error}"))?;
    // RFC 3834: nobody's holiday notice answers it.
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::message;
    use crate::mail::{Envelope, Language, Letter};

    fn envelope(to: &str, name: &str) -> Envelope {
        let letter = Letter::Invite { organisation: Some(name.to_owned()), link: "https://r/x".to_owned() };
        Envelope { to: to.to_owned(), language: Language::Fr, host: "r.example".to_owned(), letter }
    }

    #[test]
    fn no_text_of_a_user_ends_a_header() {
        let text =
            message(&envelope("a@example.org", "x\r\nBcc: evil@example.org\r\n\r\nhi"), "r@example.org").unwrap();
        let text = String::from_utf8(text.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc") || line.starts_with("hi")), "{head}");
        for line in ["Auto-Submitted: auto-generated", "Message-ID: <", "To: a@example.org"] {
            assert!(head.contains(line), "{head}");
        }
        for to in ["a@example.org\r\nBcc: b@example.org", "a@example.org, b@example.org", "", "a"] {
            assert!(message(&envelope(to, "x"), "r@example.org").is_err(), "{to:?}");
        }
    }
}
