//! Format-preserving encryption FF1, as NIST SP 800-38G specifies it, with AES.

use aes::cipher::{Block, BlockCipherEncrypt as _, KeyInit as _};
use aes::{Aes128, Aes192, Aes256};
use tdm_core::function::{BindRequest, Descriptor, ParameterKind, Promise};

use super::{BIJECTION, Bound, Function, TEXTUAL, bad, key, parameter};
use crate::cells::{Reason, Scratch, TextColumn, TextMask};

/// Smallest number of texts of one length that SP 800-38G revision 1 allows.
const DOMAIN_MIN: f64 = 1_000_000.0;

/// Longest text in symbols. Bounds the numbers that a value costs.
const LENGTH_MAX: usize = 256;

pub(crate) const FF1: Function = Function {
    descriptor: Descriptor {
        name: "ff1",
        summary: "Format-preserving encryption by NIST SP 800-38G with AES-256: a text over an alphabet becomes another of its length. Other characters stay.",
        parameters: &[
            parameter(
                "alphabet",
                ParameterKind::Text,
                "digits",
                "digits, alphanumeric (small letters), hex, or the characters themselves.",
            ),
            parameter(
                "tweak",
                ParameterKind::Text,
                "",
                "Public text that makes the same value come out differently.",
            ),
        ],
        accepts: TEXTUAL,
        promise: BIJECTION,
        weakness: "Texts with fewer than a million others of their length are refused; length and layout show.",
    },
    bind: bind_ff1,
};

fn bind_ff1(request: &BindRequest<'_>) -> Bound {
    let alphabet = match request.params.text("alphabet").unwrap_or("digits") {
        "digits" => "0123456789",
        "hex" => "0123456789abcdef",
        "alphanumeric" => "0123456789abcdefghijklmnopqrstuvwxyz",
        own => own,
    };
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut sorted = alphabet.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != alphabet.len() || !(2..=256).contains(&alphabet.len()) {
        return Err(bad(
            "alphabet",
            "must be digits, hex, alphanumeric, or 2 to 256 different characters",
        ));
    }
    let radix = u32::try_from(alphabet.len()).map_err(|_| bad("alphabet", "is too large"))?;
    let key = key(request, "ff1").hash(b"aes-256");
    let mask = Ff1Mask {
        cipher: Ff1::new(&key, radix).ok_or_else(|| bad("alphabet", "does not work"))?,
        alphabet,
        tweak: request
            .params
            .text("tweak")
            .unwrap_or("")
            .as_bytes()
            .to_vec(),
    };
    let promise = Promise {
        format_preserving: true,
        ..BIJECTION
    };
    Ok(Box::new(TextColumn::new(mask, request.column, promise)))
}

#[derive(Debug)]
struct Ff1Mask {
    cipher: Ff1,
    alphabet: Vec<char>,
    tweak: Vec<u8>,
}

impl TextMask for Ff1Mask {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let symbol = |c: char| self.alphabet.iter().position(|a| *a == c);
        scratch.symbols.clear();
        let symbols = input.chars().filter_map(symbol);
        scratch
            .symbols
            .extend(symbols.filter_map(|s| u32::try_from(s).ok()));
        let letters = input
            .chars()
            .filter(|c| c.is_alphanumeric() && symbol(*c).is_none())
            .count();
        if letters > 0 {
            return Err("the text has letters or digits outside the alphabet");
        }
        let encrypted = self.cipher.encrypt(&self.tweak, &scratch.symbols)?;
        let mut encrypted = encrypted
            .iter()
            .filter_map(|&s| self.alphabet.get(usize::try_from(s).ok()?));
        for c in input.chars() {
            out.push(match symbol(c) {
                Some(_) => *encrypted.next().unwrap_or(&c),
                None => c,
            });
        }
        Ok(())
    }
}

enum Cipher {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

/// FF1 with one key and one radix.
pub(crate) struct Ff1 {
    cipher: Cipher,
    radix: u32,
}

impl std::fmt::Debug for Ff1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ff1")
            .field("radix", &self.radix)
            .finish_non_exhaustive()
    }
}

impl Ff1 {
    /// With a key of 16, 24 or 32 bytes.
    pub(crate) fn new(key: &[u8], radix: u32) -> Option<Self> {
        let cipher = match key.len() {
            16 => Cipher::Aes128(Aes128::new_from_slice(key).ok()?),
            24 => Cipher::Aes192(Aes192::new_from_slice(key).ok()?),
            32 => Cipher::Aes256(Aes256::new_from_slice(key).ok()?),
            _ => return None,
        };
        Some(Self { cipher, radix })
    }

    fn block(&self, bytes: [u8; 16]) -> [u8; 16] {
        let mut block = Block::<Aes128>::from(bytes);
        match &self.cipher {
            Cipher::Aes128(aes) => aes.encrypt_block(&mut block),
            Cipher::Aes192(aes) => aes.encrypt_block(&mut block),
            Cipher::Aes256(aes) => aes.encrypt_block(&mut block),
        }
        block.into()
    }

    /// Algorithm 7: encrypts `x`, numbers below the radix.
    pub(crate) fn encrypt(&self, tweak: &[u8], x: &[u32]) -> Result<Vec<u32>, Reason> {
        let n = x.len();
        let possible = f64::from(self.radix).powi(i32::try_from(n).unwrap_or(i32::MAX));
        if n < 2 || possible < DOMAIN_MIN {
            return Err("the text is too short for format-preserving encryption");
        }
        if n > LENGTH_MAX || tweak.len() > LENGTH_MAX {
            return Err("the text is too long for format-preserving encryption");
        }
        let u = n / 2;
        let (mut a, mut b) = (x[..u].to_vec(), x[u..].to_vec());
        // Bytes that hold a half, and bytes of the round function's output.
        let half_bits =
            (f64::from(u32::try_from(n - u).unwrap_or(0)) * f64::from(self.radix).log2()).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 256 symbols of 8 bits"
        )]
        let b_len = (half_bits as usize).div_ceil(8);
        let d = 4 * b_len.div_ceil(4) + 4;
        // Both numbers fit 128 bits: true of all texts of up to 28 digits.
        let narrow = d <= 16;
        let mut p = [1, 2, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        p[3..6].copy_from_slice(&self.radix.to_be_bytes()[1..]);
        p[7] = u8::try_from(u % 256).unwrap_or(0);
        p[8..12].copy_from_slice(&u32::try_from(n).unwrap_or(0).to_be_bytes());
        p[12..].copy_from_slice(&u32::try_from(tweak.len()).unwrap_or(0).to_be_bytes());
        let first = self.block(p);
        let padding = (16 - (tweak.len() + b_len + 1) % 16) % 16;
        let mut q = Vec::with_capacity(tweak.len() + padding + 1 + b_len);
        let mut s = Vec::with_capacity(d + 16);
        for round in 0..10u8 {
            q.clear();
            q.extend_from_slice(tweak);
            q.resize(tweak.len() + padding, 0);
            q.push(round);
            let start = q.len();
            q.resize(start + b_len, 0);
            if narrow {
                q[start..].copy_from_slice(&self.number(&b).to_be_bytes()[16 - b_len..]);
            } else {
                self.to_bytes(&b, &mut q[start..]);
            }
            // PRF: CBC-MAC over P and Q.
            let mut r = first;
            for chunk in q.chunks_exact(16) {
                for (state, byte) in r.iter_mut().zip(chunk) {
                    *state ^= byte;
                }
                r = self.block(r);
            }
            s.clear();
            s.extend_from_slice(&r);
            for counter in 1u32.. {
                if s.len() >= d {
                    break;
                }
                let mut block = r;
                for (state, byte) in block[12..].iter_mut().zip(counter.to_be_bytes()) {
                    *state ^= byte;
                }
                s.extend_from_slice(&self.block(block));
            }
            s.truncate(d);
            if narrow {
                self.add_number(&mut a, &s);
            } else {
                self.add(&mut a, &s);
            }
            std::mem::swap(&mut a, &mut b);
        }
        a.extend_from_slice(&b);
        Ok(a)
    }

    /// NUM of up to 96 bits.
    fn number(&self, digits: &[u32]) -> u128 {
        digits.iter().fold(0, |number, &digit| {
            number * u128::from(self.radix) + u128::from(digit)
        })
    }

    /// [`Self::add`] for numbers of up to 128 bits.
    fn add_number(&self, digits: &mut [u32], y: &[u8]) {
        let radix = u128::from(self.radix);
        let modulus = digits.iter().fold(1u128, |product, _| product * radix);
        let y = y
            .iter()
            .fold(0u128, |number, &byte| number << 8 | u128::from(byte));
        let mut sum = (self.number(digits) + y % modulus) % modulus;
        if let (Ok(mut narrow), Ok(radix)) = (u64::try_from(sum), u64::try_from(radix)) {
            for digit in digits.iter_mut().rev() {
                *digit = u32::try_from(narrow % radix).unwrap_or(0);
                narrow /= radix;
            }
            return;
        }
        for digit in digits.iter_mut().rev() {
            *digit = u32::try_from(sum % radix).unwrap_or(0);
            sum /= radix;
        }
    }

    /// NUM: the number that `digits` spell, big-endian, right-aligned in `out`.
    fn to_bytes(&self, digits: &[u32], out: &mut [u8]) {
        for &digit in digits {
            let mut carry = u64::from(digit);
            for byte in out.iter_mut().rev() {
                let value = u64::from(*byte) * u64::from(self.radix) + carry;
                *byte = u8::try_from(value % 256).unwrap_or(0);
                carry = value / 256;
            }
        }
    }

    /// Adds the big-endian number `y` to `digits`, modulo radix to the power of their count.
    fn add(&self, digits: &mut [u32], y: &[u8]) {
        let radix = u64::from(self.radix);
        let mut y = y.to_vec();
        let mut carry = 0;
        for digit in digits.iter_mut().rev() {
            // The lowest digit of y, by long division.
            let mut rest = 0;
            for byte in &mut y {
                let value = rest * 256 + u64::from(*byte);
                *byte = u8::try_from(value / radix).unwrap_or(0);
                rest = value % radix;
            }
            let sum = u64::from(*digit) + rest + carry;
            *digit = u32::try_from(sum % radix).unwrap_or(0);
            carry = sum / radix;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nine FF1 samples that NIST publishes beside SP 800-38G.
    #[test]
    fn samples_of_nist() {
        const KEY: &str = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94";
        let key: Vec<u8> = (0..32)
            .map(|i| u8::from_str_radix(&KEY[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        let tweak36: Vec<u8> = (0..11).map(|i| b"7777pqrs777"[i]).collect();
        assert_eq!(
            tweak36,
            [
                0x37, 0x37, 0x37, 0x37, 0x70, 0x71, 0x72, 0x73, 0x37, 0x37, 0x37
            ]
        );
        let cases: [(usize, u32, &[u8], &str, &str); 9] = [
            (16, 10, b"", "0123456789", "2433477484"),
            (16, 10, b"9876543210", "0123456789", "6124200773"),
            (
                16,
                36,
                &tweak36,
                "0123456789abcdefghi",
                "a9tv40mll9kdu509eum",
            ),
            (24, 10, b"", "0123456789", "2830668132"),
            (24, 10, b"9876543210", "0123456789", "2496655549"),
            (
                24,
                36,
                &tweak36,
                "0123456789abcdefghi",
                "xbj3kv35jrawxv32ysr",
            ),
            (32, 10, b"", "0123456789", "6657667009"),
            (32, 10, b"9876543210", "0123456789", "1001623463"),
            (
                32,
                36,
                &tweak36,
                "0123456789abcdefghi",
                "xs8a0azh2avyalyzuwd",
            ),
        ];
        let read =
            |text: &str| -> Vec<u32> { text.chars().map(|c| c.to_digit(36).unwrap()).collect() };
        // The samples write the tweak of decimal texts in hexadecimal: 39383736353433323130.
        for (length, radix, tweak, plain, expected) in cases {
            let sample = Ff1::new(&key[..length], radix).unwrap();
            assert_eq!(
                sample.encrypt(tweak, &read(plain)).unwrap(),
                read(expected),
                "{length} {radix}"
            );
        }
    }

    #[test]
    fn narrow_and_wide_arithmetic_agree() {
        let cipher = Ff1::new(&[7; 16], 36).unwrap();
        for length in 1..=18usize {
            let digits: Vec<u32> = (0..length)
                .map(|i| u32::try_from(i * 31 % 36).unwrap())
                .collect();
            let y: Vec<u8> = (0..16u8)
                .map(|i| i.wrapping_mul(37).wrapping_add(200))
                .collect();
            let (mut a, mut b) = (digits.clone(), digits.clone());
            cipher.add(&mut a, &y);
            cipher.add_number(&mut b, &y);
            assert_eq!(a, b);
            let mut bytes = [0; 16];
            cipher.to_bytes(&digits, &mut bytes);
            assert_eq!(bytes, cipher.number(&digits).to_be_bytes());
        }
    }

    #[test]
    fn small_domains_are_refused() {
        let cipher = Ff1::new(&[0; 16], 10).unwrap();
        assert!(cipher.encrypt(&[], &[1; 5]).is_err());
        assert!(cipher.encrypt(&[], &[1; 6]).is_ok());
    }
}
