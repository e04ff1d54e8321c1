//! What the tests work with: a server on every engine, a client that speaks the registry API, images to push.

mod accounts;
mod answer;
mod app;
mod authority;
mod browser;
mod client;
mod content;
pub mod mails;
mod pages;
mod postgres;
mod raw;
mod smtp;

use std::time::Duration;

pub use accounts::{PASSWORD, on_each_engine_with_accounts, on_each_engine_with_accounts_and};
pub use answer::Answer;
pub use app::{Setup, TestApp, on_each_engine};
pub use authority::{AcmeAuthority, Reply, first_of, signed};
pub use browser::{Browser, code, sign_in};
pub use client::{Call, Client};
pub use content::{Image, Manifest, blob, descriptor, sha256, sha512};
pub use pages::Pages;
pub use raw::Raw;
pub use smtp::Smtp;

/// Asks again and again until `done`.
///
/// # Panics
///
/// When it does not come about within 20 seconds.
pub async fn eventually(mut done: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !done().await {
            // A question that never waits would spin, and never let the time be over.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("it did not come about in time");
}
