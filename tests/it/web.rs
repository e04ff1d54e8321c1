//! The pages, as browsers get them. What they look like and how they behave with scripts is tried with a real browser.

mod admin;
mod account;
mod frame;
mod organisation;
mod settings;
mod links;
mod sign_in;
