//! The pages, as browsers get them. What they look like and how they behave with scripts is tried with a real browser.

mod admin;
mod frame;
mod image;
mod sign_in;
