//! Who may do what, over real connections: the token protocol, roles, and how soon a change acts.

mod audit;
mod limits;
mod mails;
mod protection;
mod roles;
mod sign_in;
mod tokens;
