//! Credentials by their own marks: hash formats, key prefixes, tokens.

/// Whether the text is a password hash in a format that names itself.
pub(crate) fn password_hash(text: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "$2a$",
        "$2b$",
        "$2y$",
        "$2x$",
        "$argon2",
        "$pbkdf2",
        "$scrypt$",
        "$1$",
        "$5$",
        "$6$",
        "$7$",
        "$y$",
        "$P$",
        "$H$",
        "$S$",
        "$apr1$",
        "{SSHA",
        "{SHA",
        "{bcrypt}",
        "{MD5}",
        "{CRYPT}",
        "{noop}",
        "{pbkdf2}",
        "{PBKDF2",
        "{scrypt}",
        "{ARGON2",
        "{argon2}",
        "pbkdf2_sha",
        "pbkdf2:",
        "scrypt:",
        "bcrypt$",
        "bcrypt_sha256$",
        "argon2$",
        "sha1$",
        "sha256$",
        "sha512$",
        "md5$",
        "SCRAM-SHA-",
        "$bcrypt",
        "$md5$",
        "$sha1$",
    ];
    text.len() >= 13 && starts(text, PREFIXES)
}

/// Whether the text is a key or token by its prefix or its form.
pub(crate) fn token(text: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "sk_live_",
        "sk_test_",
        "pk_live_",
        "pk_test_",
        "rk_live_",
        "rk_test_",
        "whsec_",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "AKIA",
        "ASIA",
        "AIza",
        "ya29.",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "xoxs-",
        "xapp-",
        "SG.",
        "key-",
        "npm_",
        "pypi-",
        "dop_v1_",
        "shpat_",
        "shpss_",
        "sq0atp-",
        "sq0csp-",
        "EAACEdEose0cBA",
        "EAAC",
        "-----BEGIN",
        "ssh-rsa ",
        "ssh-ed25519 ",
        "hf_",
        "sk-proj-",
        "sk-ant-",
        "sk-",
        "AccountKey=",
        "Bearer ",
        "token_",
        "tok_",
        "hvs.",
        "dckr_pat_",
        "lin_api_",
        "rubygems_",
        "api_",
        "apikey_",
        "sess_",
        "secret_",
        "live_",
        "test_sk",
        "rt_",
        "at_",
        "pat_",
        "access_token",
        "refresh_",
        "dapi",
        "PMAK-",
        "NRAK-",
        "fio-u-",
        "figd_",
        "atlasv1.",
        "v1.0-",
        "AGE-SECRET-KEY-",
        "doo_v1_",
        "csrf_",
    ];
    if jwt(text) {
        return true;
    }
    text.len() >= 16
        && starts(text, PREFIXES)
        && (text.starts_with("-----")
            || text.starts_with("ssh-")
            || text.starts_with("Bearer ")
            || (!text.contains(' ') && mixed(text)))
}

/// Whether the text starts with one of the prefixes; most texts fail on their first byte.
fn starts(text: &str, prefixes: &[&str]) -> bool {
    let first = text.as_bytes()[0];
    prefixes
        .iter()
        .any(|p| p.as_bytes()[0] == first && text.starts_with(p))
}

/// Letters and digits mixed as chance mixes them, not as words do.
fn mixed(text: &str) -> bool {
    let tail = &text.as_bytes()[text.len() / 3..];
    tail.iter().any(u8::is_ascii_digit) && tail.iter().any(u8::is_ascii_alphabetic)
}

fn jwt(text: &str) -> bool {
    text.starts_with("eyJ") && text.len() > 40 && text.split('.').count() >= 2
}

/// Whether the text is a random-looking string of letters of both cases and digits: a token without a prefix.
pub(crate) fn opaque(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(20..=512).contains(&bytes.len())
        || !bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"+/=_-.".contains(b))
    {
        return false;
    }
    let lower = bytes.iter().filter(|b| b.is_ascii_lowercase()).count();
    let upper = bytes.iter().filter(|b| b.is_ascii_uppercase()).count();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let separators = bytes.len() - lower - upper - digits;
    let changes = bytes
        .windows(2)
        .filter(|w| class(w[0]) != class(w[1]))
        .count();
    lower * 8 >= bytes.len()
        && upper * 8 >= bytes.len()
        && digits * 20 >= bytes.len()
        && separators * 8 <= bytes.len()
        && changes * 3 >= bytes.len()
}

const fn class(b: u8) -> u8 {
    match b {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_name_themselves_and_digests_do_not() {
        assert!(password_hash("$2b$12$abcdefghijklmnopqrstuv"));
        assert!(password_hash("pbkdf2_sha256$260000$salt$hash="));
        assert!(!password_hash("5f4dcc3b5aa765d61d8327deb882cf99"));
        assert!(token("ghp_16C7e42F292c6912E7710c838347Ae178B4a"));
        assert!(token(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc"
        ));
        assert!(!token("api_documentation_page"));
        assert!(opaque("dGhpc0lzQVRva2VuV2l0aDEyMzQ1Njc4OTA"));
        assert!(!opaque("5f4dcc3b5aa765d61d8327deb882cf99"));
        assert!(!opaque("a-long-slug-of-some-words-2024"));
    }
}
