//! The pages, as browsers get them. What they look like and how they behave with scripts is tried with a real browser.

mod explore;
mod frame;
mod sign_in;
