//! Which part of a run a function belongs to, by its name.

use std::fmt;

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The simulator: world, packet path, sockets, signaling, driver; `turmoil-net` too.
    Engine,
    /// Trace, digest and oracles.
    Evidence,
    /// JSON: of the trace, and of signaling messages.
    Json,
    /// The calling app under test, and what draws its plans.
    App,
    /// Tokio, futures and the WebSocket library.
    Tokio,
    /// The WebRTC stack without its cryptography.
    Stack,
    /// Cryptography and random numbers, whoever asks for them.
    Crypto,
    /// Allocating, copying and clearing memory, whoever asks for it.
    Memory,
    /// The standard library, the C library and the linker, where no other part is named.
    Rest,
}

impl Part {
    /// All parts, in the order of tables.
    pub const ALL: [Self; 9] = [
        Self::Engine,
        Self::Evidence,
        Self::Json,
        Self::App,
        Self::Tokio,
        Self::Stack,
        Self::Crypto,
        Self::Memory,
        Self::Rest,
    ];

    /// Whether it is the project's own: what the budget of 12 % is about.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Engine | Self::Evidence | Self::Json)
    }

    /// Whether its functions work for whoever calls them: the standard library, the C library, the allocator.
    pub const fn is_anybodys(self) -> bool {
        matches!(self, Self::Memory | Self::Rest)
    }

    /// The part that the function called `name` belongs to.
    pub fn of(name: &str) -> Self {
        if is_memory(name) {
            return Self::Memory;
        }
        // Assembly of ring that keeps its names to itself.
        if name.starts_with("__ecp_") || name.starts_with("fiat_") {
            return Self::Crypto;
        }
        // `<alloc::vec::Vec<sleet::trace::Event> as core::ops::Drop>::drop` is the trace's: the first name that says anything.
        let path = |part: &str| {
            part.split("::")
                .next()
                .unwrap_or("")
                .trim_start_matches("_R")
                .to_owned()
        };
        let words = name.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        words
            .filter(|word| word.contains("::") || Self::begins(word).is_some())
            .find_map(|word| match path(word).as_str() {
                "sleet" => Some(Self::of_ours(word)),
                krate => Self::begins(krate),
            })
            .unwrap_or(Self::Rest)
    }

    fn of_ours(word: &str) -> Self {
        match word.split("::").nth(1) {
            Some("trace" | "oracle" | "run") => Self::Evidence,
            Some("seed") => Self::Crypto,
            _ => Self::Engine,
        }
    }

    /// The part of a crate, or of a symbol of C or assembly.
    fn begins(krate: &str) -> Option<Self> {
        const PARTS: [(Part, &[&str]); 7] = [
            (Part::Engine, &["turmoil_net", "sleet_bench"]),
            (Part::Evidence, &["blake3", "_blake3"]),
            (
                Part::Json,
                &["serde", "serde_core", "serde_json", "itoa", "ryu", "zmij"],
            ),
            (Part::App, &["sleet_scenarios"]),
            (
                Part::Tokio,
                &[
                    "tokio",
                    "tokio_util",
                    "futures",
                    "futures_util",
                    "futures_core",
                    "futures_channel",
                    "tungstenite",
                    "tokio_tungstenite",
                    "httparse",
                    "http",
                    "mio",
                    "parking_lot",
                    "parking_lot_core",
                    "pin_project",
                    "async_trait",
                    "waitgroup",
                    "arc_swap",
                ],
            ),
            (
                Part::Stack,
                &[
                    "webrtc",
                    "webrtc_ice",
                    "webrtc_util",
                    "webrtc_sctp",
                    "webrtc_data",
                    "webrtc_media",
                    "webrtc_mdns",
                    "webrtc_srtp",
                    "stun",
                    "turn",
                    "dtls",
                    "sdp",
                    "rtp",
                    "rtcp",
                    "interceptor",
                    "ice",
                    "sctp",
                    "crc",
                    "bytes",
                    "url",
                    "idna",
                    "percent_encoding",
                    "regex",
                    "regex_automata",
                    "regex_syntax",
                    "portable_atomic",
                    "form_urlencoded",
                    "smol_str",
                    "icu_properties",
                    "icu_normalizer",
                    "uuid",
                ],
            ),
            (
                Part::Crypto,
                &[
                    "ring",
                    "sha1",
                    "sha2",
                    "hmac",
                    "md5",
                    "md_5",
                    "aes",
                    "aes_gcm",
                    "p256",
                    "p384",
                    "elliptic_curve",
                    "crypto_bigint",
                    "x25519_dalek",
                    "curve25519_dalek",
                    "subtle",
                    "generic_array",
                    "block_buffer",
                    "digest",
                    "cipher",
                    "ctr",
                    "cbc",
                    "ccm",
                    "ghash",
                    "polyval",
                    "universal_hash",
                    "ecdsa",
                    "signature",
                    "sec1",
                    "ff",
                    "group",
                    "primeorder",
                    "rcgen",
                    "rustls",
                    "x509_parser",
                    "der_parser",
                    "asn1_rs",
                    "yasna",
                    "pem",
                    "rand",
                    "rand_core",
                    "rand_chacha",
                    "chacha20",
                    "ppv_lite86",
                    "getrandom",
                    "rfc6979",
                    "crypto_common",
                    "rustls_pki_types",
                    "webpki",
                    "nom",
                    "oid_registry",
                    "der",
                    "pkcs8",
                    "spki",
                    "const_oid",
                    "base16ct",
                    "data_encoding",
                    "base64",
                    "inout",
                    "zeroize",
                    "cpufeatures",
                    "opaque_debug",
                    "aead",
                    "simple_asn1",
                    "num_bigint",
                ],
            ),
        ];
        if krate.starts_with("ring_core_") || krate.starts_with("blake3_") {
            return Some(if krate.starts_with('r') {
                Self::Crypto
            } else {
                Self::Evidence
            });
        }
        let found = PARTS.iter().find(|(_, crates)| crates.contains(&krate));
        found.map(|(part, _)| *part)
    }
}

/// Whether a function of the C library or of Rust's allocator moves memory or hands it out.
fn is_memory(name: &str) -> bool {
    const EXACT: [&str; 16] = [
        "malloc",
        "free",
        "calloc",
        "realloc",
        "_int_malloc",
        "_int_free",
        "_int_realloc",
        "malloc_consolidate",
        "unlink_chunk",
        "sysmalloc",
        "posix_memalign",
        "aligned_alloc",
        "_mid_memalign",
        "_int_memalign",
        "systrim",
        "_int_free_merge_chunk",
    ];
    let plain = name
        .split(['.', '\'', '@'])
        .next()
        .unwrap_or(name)
        .trim_start_matches("__");
    EXACT.contains(&plain)
        || [
            "memcpy",
            "memmove",
            "memset",
            "memcmp",
            "bcmp",
            "rust_alloc",
            "rust_dealloc",
            "rust_realloc",
            "rdl_",
            "rust_no_alloc",
        ]
        .iter()
        .any(|start| plain.starts_with(start))
        || ["malloc", "_int_free", "tcache", "arena_get"]
            .iter()
            .any(|start| plain.starts_with(start))
        || name.contains("__rustc::__r")
        || name.contains("::__rdl_")
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "engine",
            Self::Evidence => "trace, digest, oracles",
            Self::Json => "JSON",
            Self::App => "calling app",
            Self::Tokio => "tokio, WebSocket",
            Self::Stack => "WebRTC stack",
            Self::Crypto => "crypto",
            Self::Memory => "memory",
            Self::Rest => "rest",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_belongs_to_the_first_crate_that_says_anything() {
        let cases = [
            ("sleet::world::pump::Pump::move_packets", Part::Engine),
            ("sleet::oracle::calls::calls", Part::Evidence),
            (
                "core::ptr::drop_in_place<sleet::trace::event::Event>",
                Part::Evidence,
            ),
            (
                "<tokio::sync::mutex::Mutex<webrtc_ice::agent::Agent>>::lock",
                Part::Tokio,
            ),
            ("<webrtc_ice::agent::Agent>::new::{closure#0}", Part::Stack),
            ("<alloc::vec::Vec<u8> as core::clone::Clone>::clone", Part::Rest),
            ("__memcpy_avx_unaligned_erms", Part::Memory),
            ("_int_free", Part::Memory),
            ("ring_core_0_17_14__x25519_fe_mul", Part::Crypto),
            ("blake3_compress_in_place_sse41", Part::Evidence),
            ("sha1::compress::soft", Part::Crypto),
            ("clock_gettime", Part::Rest),
        ];
        for (name, part) in cases {
            assert_eq!(Part::of(name), part, "{name}");
        }
    }
}
