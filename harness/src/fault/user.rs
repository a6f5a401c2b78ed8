//! Users with several devices, called by one name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::net::topology::Topology;

/// A user with several devices: dialing the name calls all of them.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name in the script. No host has this name.
    pub name: String,
    /// The hosts on which the user's phone rings.
    pub devices: Vec<String>,
}

impl User {
    /// Creates the user `name` with `devices`.
    pub fn new(name: &str, devices: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            devices: devices.iter().map(ToString::to_string).collect(),
        }
    }

    /// Checks `users`.
    pub(super) fn check(users: &[Self], topology: &Topology) -> Result<(), String> {
        for (i, Self { name, devices }) in users.iter().enumerate() {
            let twice = users[..i].iter().any(|before| before.name == *name);
            if twice || topology.host(name).is_some() {
                return Err(format!("users[{i}].name: '{name}' is somebody else already"));
            }
            if devices.is_empty() {
                return Err(format!("users[{i}].devices: '{name}' has none"));
            }
            for (k, device) in devices.iter().enumerate() {
                if topology.host(device).is_none() {
                    return Err(format!("users[{i}].devices[{k}]: there is no host '{device}'"));
                }
                if devices[..k].contains(device) {
                    return Err(format!("users[{i}].devices[{k}]: '{device}' is named twice"));
                }
            }
        }
        Ok(())
    }
}
