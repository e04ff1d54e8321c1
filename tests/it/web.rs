//! The pages, as browsers get them. What they look like and how they behave with scripts is tried with a real browser.

mod account;
mod admin;
mod explore;
mod frame;
mod image;
mod links;
mod organisation;
mod repository;
mod settings;
mod sign_in;
mod tags;
