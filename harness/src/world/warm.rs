//! What libraries set up once in a process, set up before the first run.
//!
//! A map that a library makes on first use takes a turn of the hash keys of the thread that came first. Were that a
//! simulation thread, all later maps of that run would be ordered otherwise than in every other run of the process.
//! Nothing in here may depend on a run, and no run on it.

use std::sync::Once;

use webrtc::dtls::crypto::Certificate;

/// Sets everything up, once.
pub(super) fn up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // x509-parser 0.16.0, src/extensions/mod.rs:621: the parsers of certificate extensions, which DTLS needs in
        // the middle of its first handshake.
        let certificate = Certificate::generate_self_signed(["warm".to_owned()]).expect("a certificate");
        for der in &certificate.certificate {
            x509_parser::parse_x509_certificate(der).expect("it is one");
        }
    });
}
