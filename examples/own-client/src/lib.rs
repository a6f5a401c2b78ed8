//! A small calling app: a signaling server, and a phone that calls with audio and a data channel.
//!
//! | module | what it does |
//! |---|---|
//! | [`message`] | what phones and the server say to each other |
//! | [`server`] | passes messages on, and keeps a record of the calls in its [`database`] |
//! | [`mod@line`] | a phone's connection to the server |
//! | [`phone`] | one user's phone: signs in, rings, calls, answers, hangs up |
//! | [`call`] | the peer connection of one call |
//! | [`media`] | what is said and heard during a call |
//! | [`slow`] | steps of the server that take their time |
//! | [`terminal`] | a phone that is used line by line: taps in, what it shows out |
//! | [`net`] | where the app's network comes from: the only place that knows |

pub mod call;
pub mod database;
pub mod line;
pub mod media;
pub mod message;
pub mod net;
pub mod phone;
#[cfg(feature = "sleet")]
pub mod scenarios;
pub mod server;
pub mod settings;
#[cfg(feature = "sleet")]
pub mod sim;
pub mod slow;
pub mod terminal;
