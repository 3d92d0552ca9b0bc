//! The embedded GitHub against real repositories.

mod data;
mod pulls;
mod repository;
mod served;
mod world;
