//! Who may do what, over real connections: the token protocol, roles, and how soon a change acts.

mod audit;
mod factor;
mod limits;
mod mails;
mod protection;
mod roles;
mod sessions;
mod sign_in;
mod surfaces;
mod tokens;
