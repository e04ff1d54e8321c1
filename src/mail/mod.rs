//! Mails: what they say, in which language, and how they leave the server. Knows neither accounts nor the database.

mod english;
mod french;
mod letter;
mod message;
mod transport;

pub use letter::{Envelope, FactorNews, Language, Letter};
pub use transport::{Failure, Mailer};
