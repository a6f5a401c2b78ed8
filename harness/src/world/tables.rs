//! Tables that libraries build once per process, on first use.
//!
//! A hash map takes the keys of its order from a counter of the thread that creates it. If a run built such a table,
//! every hash map that it created from then on would have another order than in the next run, in which the table is
//! there already. So they are built before the first run, on a thread without a run.

use stun::error_code::ERROR_REASONS;
use x509_parser::prelude::{FromDer, X509Extension};

/// The extension "basic constraints" without content (RFC 5280, section 4.2.1.9), in DER.
const EXTENSION: [u8; 11] = [0x30, 0x09, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x04, 0x02, 0x30, 0x00];

/// Builds the known tables: the reasons of STUN errors, and the parsers of certificates' extensions.
pub(super) fn make() {
    assert!(!ERROR_REASONS.is_empty(), "STUN knows its errors");
    assert!(X509Extension::from_der(&EXTENSION).is_ok(), "it is an extension");
}

#[cfg(test)]
mod tests {
    #[test]
    fn they_can_be_made_again_and_again() {
        super::make();
        super::make();
    }
}
