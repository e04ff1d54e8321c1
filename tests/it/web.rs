//! The pages, as browsers get them. What they look like and how they behave with scripts is tried with a real browser.

mod account;
mod admin;
mod frame;
mod links;
mod organisation;
mod repository;
mod settings;
mod sign_in;
mod tags;
