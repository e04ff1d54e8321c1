//! The command line, as a process: its exit codes, what it prints, what it does to the data.

mod accounts;
mod audit;
mod check;
mod config;
mod logs;
mod mail;
mod process;
mod serve;
mod tls;
