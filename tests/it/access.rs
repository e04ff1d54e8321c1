//! Who may do what, over real connections: the token protocol, roles, and how soon a change acts.

mod mails;
mod roles;
mod sign_in;
mod tokens;
