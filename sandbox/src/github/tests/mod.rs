//! The embedded GitHub against real repositories.

mod apps;
mod attestations;
mod data;
mod dispatches;
mod environments;
mod events;
mod forks;
mod limits;
mod patience;
mod pulls;
mod releases;
mod repository;
mod rules;
mod served;
mod statuses;
mod tokens;
mod world;
