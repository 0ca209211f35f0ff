//! Keys: one root, a sub-key per pseudonym domain, and a keyed hash whose midstates are kept.
//!
//! HKDF-SHA256 (RFC 5869) derives a domain's key from the root; HMAC-SHA256 (RFC 2104) is the keyed hash.
//! The root never leaves the keyring; what is recorded is its fingerprint.

use std::fmt;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use sha2::block_api::compress256;

use crate::catalog::hex;

/// The set of columns whose pseudonyms must stay joinable, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PseudonymDomain(pub String);

impl PseudonymDomain {
    /// The domain called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for PseudonymDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives out domain keys. No randomness reaches a masking function; everything derives from here.
pub trait Keyring: fmt::Debug + Send + Sync {
    /// The key of `domain`. Equal domains give equal keys, in every process and on every machine.
    fn domain_key(&self, domain: &PseudonymDomain) -> DomainKey;

    /// A value by which two keyrings can be compared without revealing the key: 16 hexadecimal digits.
    fn fingerprint(&self) -> String;
}

/// A 256-bit root key held in memory.
///
/// `Debug` shows the fingerprint only.
#[derive(Clone)]
pub struct RootKey {
    bytes: [u8; 32],
    version: u32,
}

impl RootKey {
    /// Version 1 of a key.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self { bytes, version: 1 }
    }

    /// Reads 64 hexadecimal digits; surrounding white space is ignored.
    ///
    /// # Errors
    /// When the text is anything else. The error does not repeat it.
    pub fn from_hex(text: &str) -> Result<Self, BadKey> {
        let text = text.trim().as_bytes();
        if text.len() != 64 {
            return Err(BadKey);
        }
        let digit = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
                .ok_or(BadKey)
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self::new(bytes))
    }

    /// The same key at another version: every domain key differs.
    #[must_use]
    pub const fn at_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    fn derive(&self, label: &str, name: &str) -> [u8; 32] {
        let mut key = [0; 32];
        let version = self.version.to_be_bytes();
        // Length first: no two (label, name) pairs share an info string.
        let length = (label.len() as u64).to_be_bytes();
        Hkdf::<Sha256>::new(Some(b"tdm/v1"), &self.bytes)
            .expand_multi_info(
                &[&length, label.as_bytes(), &version, name.as_bytes()],
                &mut key,
            )
            .expect("32 bytes is a valid HKDF-SHA256 length");
        key
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKey")
            .field("fingerprint", &self.fingerprint())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Keyring for RootKey {
    fn domain_key(&self, domain: &PseudonymDomain) -> DomainKey {
        DomainKey::new(&self.derive("domain", &domain.0))
    }

    fn fingerprint(&self) -> String {
        hex(&self.derive("fingerprint", "")[..8])
    }
}

/// A text is not a 256-bit key in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a root key is 64 hexadecimal digits (256 bits)")]
pub struct BadKey;

/// The key of one domain, ready to hash.
///
/// Keeps the two HMAC midstates, so that a short message costs two compressions, not four, and nothing is copied but
/// the midstates themselves.
#[derive(Clone)]
pub struct DomainKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// Initial state of SHA-256 (FIPS 180-4, 5.3.3).
const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Bytes of a SHA-256 block.
const BLOCK: usize = 64;

impl DomainKey {
    /// A key from 32 bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let midstate = |pad: u8| {
            let mut block = [pad; BLOCK];
            for (byte, key) in block.iter_mut().zip(bytes) {
                *byte ^= key;
            }
            let mut state = SHA256_START;
            compress256(&mut state, &[block]);
            state
        };
        Self {
            inner: midstate(0x36),
            outer: midstate(0x5c),
        }
    }

    /// A key for one purpose within the domain; labels keep purposes apart.
    #[must_use]
    pub fn subkey(&self, label: &str) -> Self {
        Self::new(&self.hash(label.as_bytes()))
    }

    /// The keyed hash of `message`.
    pub fn hash(&self, message: &[u8]) -> [u8; 32] {
        finish(self.outer, &finish(self.inner, message))
    }

    /// A stream of uniform draws that belongs to `message`: the first from its hash, more by counter.
    pub fn draws(&self, message: &[u8]) -> Draws<'_> {
        Draws {
            key: self,
            block: self.hash(message),
            used: 0,
            counter: 0,
        }
    }
}

/// SHA-256 of one block that `state` has seen, followed by `message`.
fn finish(mut state: [u32; 8], message: &[u8]) -> [u8; 32] {
    let (blocks, rest) = message.as_chunks::<BLOCK>();
    compress256(&mut state, blocks);
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 0x80;
    if rest.len() >= BLOCK - 8 {
        compress256(&mut state, &[block]);
        block = [0; BLOCK];
    }
    let bits = (BLOCK + message.len()) as u64 * 8;
    block[BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut state, &[block]);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

impl fmt::Debug for DomainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DomainKey(<redacted>)")
    }
}

/// Uniform draws derived from one keyed hash. The same key and message give the same draws for ever.
pub struct Draws<'k> {
    key: &'k DomainKey,
    block: [u8; 32],
    used: usize,
    counter: u64,
}

impl Draws<'_> {
    /// The next 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        if self.used == 32 {
            self.counter += 1;
            let mut message = [0; 40];
            message[..32].copy_from_slice(&self.block);
            message[32..].copy_from_slice(&self.counter.to_be_bytes());
            self.block = self.key.hash(&message);
            self.used = 0;
        }
        let mut word = [0; 8];
        word.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_be_bytes(word)
    }

    /// A uniform number below `bound`, without modulo bias (Lemire 2019: multiply and reject).
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "nothing is below zero");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            let low = product & u128::from(u64::MAX);
            if low >= u128::from(threshold) {
                return u64::try_from(product >> 64).expect("a product of two u64 has 128 bits");
            }
        }
    }

    /// A uniform element of `list`; `None` when it is empty.
    pub fn pick<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        let bound = u64::try_from(list.len()).ok().filter(|&n| n > 0)?;
        list.get(usize::try_from(self.below(bound)).ok()?)
    }
}

impl fmt::Debug for Draws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draws(<redacted>)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RootKey {
        RootKey::new([7; 32])
    }

    #[test]
    fn domains_versions_and_labels_are_kept_apart() {
        let a = key().domain_key(&PseudonymDomain::new("a"));
        assert_eq!(
            a.hash(b"x"),
            key().domain_key(&PseudonymDomain::new("a")).hash(b"x")
        );
        assert_ne!(
            a.hash(b"x"),
            key().domain_key(&PseudonymDomain::new("b")).hash(b"x")
        );
        assert_ne!(
            a.hash(b"x"),
            key()
                .at_version(2)
                .domain_key(&PseudonymDomain::new("a"))
                .hash(b"x")
        );
        assert_ne!(a.hash(b"x"), a.subkey("name").hash(b"x"));
    }

    #[test]
    fn the_keyed_hash_is_hmac_sha256() {
        // RFC 4231, test case 2 has a short key; HMAC pads it with zeros, as a 32-byte key would be.
        let mut padded = [0; 32];
        padded[..4].copy_from_slice(b"Jefe");
        let hash = DomainKey::new(&padded).hash(b"what do ya want for nothing?");
        assert_eq!(
            hex(&hash),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn messages_of_every_length_hash_as_the_reference_does() {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let key = [0xa5; 32];
        let message: Vec<u8> = (0..=u8::MAX).cycle().take(300).collect();
        for length in 0..message.len() {
            let mut reference = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            reference.update(&message[..length]);
            let expected: [u8; 32] = reference.finalize().into_bytes().into();
            assert_eq!(
                DomainKey::new(&key).hash(&message[..length]),
                expected,
                "length {length}"
            );
        }
    }

    #[test]
    fn draws_below_a_bound_are_uniform() {
        let key = DomainKey::new(&[1; 32]);
        let mut draws = key.draws(b"seed");
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            seen[usize::try_from(draws.below(6)).unwrap()] += 1;
        }
        // Five degrees of freedom: 25.7 is the 99.99 % quantile of chi-squared.
        let chi: f64 = seen
            .iter()
            .map(|&n| (f64::from(n) - 10_000.0).powi(2) / 10_000.0)
            .sum();
        assert!(chi < 25.7, "chi-squared {chi}");
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_is_never_shown() {
        assert!(RootKey::from_hex("zz").is_err());
        assert!(RootKey::from_hex(&"g".repeat(64)).is_err());
        let key = RootKey::from_hex(&format!(" {} \n", "ab".repeat(32))).unwrap();
        assert!(!format!("{key:?}").contains("abab"));
    }
}
