//! Drives the apps under test: starts them on their hosts, again after each crash, and is the hand of their users.
//!
//! - [`app`]: the seam: what a program is, and what its user can want of it
//! - [`screen`]: what an app shows its user
//!
//! The driver writes down what users intend when they intend it. It never asks an app what it did.

mod app;
mod screen;

pub use app::{App, Launch, NoUser, NotUnderstood, Program, StartError};
pub use screen::Screen;
