mod support;

mod check;
mod concurrency;
mod faults;
mod leases;
mod model;
mod push;
mod races;
mod sweep;
