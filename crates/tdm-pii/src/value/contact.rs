//! E-mail addresses, machine addresses, telephone shapes and web addresses.

use std::net::Ipv6Addr;

/// Whether the whole text is an e-mail address, with or without a display name or `mailto:`.
pub(crate) fn email(text: &str) -> bool {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let text = match (text.rfind('<'), text.ends_with('>')) {
        (Some(open), true) => &text[open + 1..text.len() - 1],
        _ => text,
    };
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let mut labels = host.split('.');
    let top = host.rsplit('.').next().unwrap_or_default();
    local_ok
        && host.len() <= 253
        && host.contains('.')
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
        && labels.all(|l| {
            !l.is_empty()
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

/// The four octets of an IPv4 address, with or without a prefix length or a port.
pub(crate) fn ipv4(text: &str) -> Option<[u8; 4]> {
    let text = text.split(['/', ':']).next()?;
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty()
            || part.len() > 3
            || !part.bytes().all(|b| b.is_ascii_digit())
            || (part.len() > 1 && part.starts_with('0'))
        {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then_some(octets)
}

/// Whether the text is an IPv6 address.
pub(crate) fn ipv6(text: &str) -> bool {
    let text = text.split(['/', '%']).next().unwrap_or_default();
    text.bytes().filter(|b| *b == b':').count() >= 2 && text.parse::<Ipv6Addr>().is_ok()
}

/// Whether the text is a hardware address: six or eight pairs of hexadecimal digits, or three groups of four.
pub(crate) fn mac(text: &str) -> bool {
    let hex =
        |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_hexdigit());
    [':', '-'].iter().any(|separator| {
        let parts: usize = text.split(*separator).count();
        matches!(parts, 6 | 8) && text.split(*separator).all(|p| hex(p, 2))
    }) || text.split('.').count() == 3 && text.split('.').all(|p| hex(p, 4))
}

/// How much a text looks like a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PhoneShape {
    /// International form, or an area code in brackets.
    Certain,
    /// Groups of digits that add up to a telephone number, or a trunk zero.
    Likely,
}

/// The telephone shape of a text, if any.
pub(crate) fn phone_shape(text: &str) -> Option<PhoneShape> {
    let bytes = text.as_bytes();
    let mut text = text;
    // Extensions: x123, ext. 123.
    if let Some(at) = text.to_ascii_lowercase().find(['x', 'e'])
        && at >= 7
    {
        let tail = text[at..].to_ascii_lowercase();
        let number =
            tail.trim_start_matches(|c: char| c.is_ascii_alphabetic() || ". :".contains(c));
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) || number.len() > 6 {
            return None;
        }
        text = text[..at].trim_end();
    }
    let mut digits = 0;
    let mut groups = 0;
    let mut in_group = false;
    let mut longest = 0;
    let mut run = 0;
    for (i, b) in text.bytes().enumerate() {
        match b {
            b'0'..=b'9' => {
                digits += 1;
                run += 1;
                if !in_group {
                    groups += 1;
                }
                in_group = true;
                longest = longest.max(run);
            }
            b'+' if i == 0 || bytes[i - 1] == b'(' => {}
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' => {
                in_group = false;
                run = 0;
            }
            _ => return None,
        }
    }
    if !(7..=15).contains(&digits) {
        return None;
    }
    let plus = text.starts_with('+') || text.starts_with("(+");
    if plus && digits >= 8 {
        return Some(PhoneShape::Certain);
    }
    if text.starts_with("00")
        && digits >= 10
        && (groups > 1 || digits <= 15)
        && !text.starts_with("000")
    {
        return Some(PhoneShape::Certain);
    }
    if let (Some(open), Some(close)) = (text.find('('), text.find(')')) {
        let inside = &text[open + 1..close.max(open + 1)];
        if (1..=5).contains(&inside.len())
            && inside.bytes().all(|b| b.is_ascii_digit())
            && digits >= 8
        {
            return Some(PhoneShape::Certain);
        }
        return None;
    }
    let grouped = groups >= 2 && longest <= 8 && digits >= 8;
    if grouped
        && (text.starts_with('0')
            || groups >= 3 && (9..=12).contains(&digits)
            || digits == 7 + 3
            || (8..=9).contains(&digits))
    {
        return Some(PhoneShape::Likely);
    }
    if groups == 2 && digits == 7 && text.as_bytes().get(3) == Some(&b'-') {
        return Some(PhoneShape::Likely);
    }
    (groups == 1 && text.starts_with('0') && !text.starts_with("00") && (9..=12).contains(&digits))
        .then_some(PhoneShape::Likely)
}

/// Hosts and paths that stand for a person's page or picture.
pub(crate) fn personal_url(lower: &str) -> bool {
    const MARKS: &[&str] = &[
        "linkedin.com/in/",
        "facebook.com/",
        "twitter.com/",
        "://x.com/",
        "instagram.com/",
        "github.com/",
        "xing.com/profile",
        "gravatar.com/",
        "/avatar",
        "/~",
        "/profile/",
        "/profiles/",
        "/user/",
        "/users/",
        "/u/",
        "/people/",
        "/@",
        "tiktok.com/@",
        "pinterest.",
        "gitlab.com/",
        "medium.com/@",
        "about.me/",
        "t.me/",
        "vk.com/",
        "mastodon",
        "/members/",
        "/member/",
        "/author/",
        "/headshot",
        "/portrait",
        "flickr.com/people",
        "behance.net/",
        "keybase.io/",
        "soundcloud.com/",
        "youtube.com/@",
        "/photos/user",
        "profile_pic",
        "profile-pic",
        "profilepic",
        "/staff/",
        "/team/",
        "snapchat.com/add",
        "wa.me/",
        "orcid.org/",
        "threads.net/@",
        "bsky.app/profile",
        "stackoverflow.com/users",
        "dribbble.com/",
        "/homes/",
        "/nutzer/",
        "/utilisateur",
        "/usuario",
        "/perfil",
        "/profil/",
        "/profilo",
        "/uzytkownik",
    ];
    const NOT: &[&str] = &[
        "/product",
        "/item",
        "/issues",
        "/pull/",
        "/blob/",
        "/releases",
        "/docs",
        "/help",
        "/posts/",
        "/events/",
        "/watch",
    ];
    MARKS.iter().any(|m| lower.contains(m)) && !NOT.iter().any(|m| lower.contains(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_people_and_machines_are_told_from_what_looks_like_them() {
        for good in [
            "a.b+c@example.co.uk",
            "Jane <jane@example.org>",
            "mailto:x@y.de",
            "ü@münchen.de",
        ] {
            assert!(email(good), "shape {}", good.len());
        }
        for bad in [
            "a@b",
            "@example.com",
            "a b@example.com",
            "x@y.1",
            "user@host:8080",
            "a@-b.com",
        ] {
            assert!(!email(bad));
        }
        assert_eq!(ipv4("10.0.0.1/8"), Some([10, 0, 0, 1]));
        assert_eq!(ipv4("1.2.3.04"), None);
        assert_eq!(ipv4("256.1.1.1"), None);
        assert!(ipv6("fe80::1%eth0") && !ipv6("12:30:45x"));
        assert!(mac("00:1A:2b:3c:4d:5e") && mac("001a.2b3c.4d5e") && !mac("00:1A:2b:3c:4d"));
    }

    #[test]
    fn telephone_numbers_of_many_lands_have_a_shape_and_dates_have_none() {
        for certain in [
            "+49 30 1234567",
            "(555) 123-4567",
            "0044 20 7946 0018",
            "+33.1.23.45.67.89",
            "+1-202-555-0143 x12",
        ] {
            assert_eq!(
                phone_shape(certain),
                Some(PhoneShape::Certain),
                "{}",
                certain.len()
            );
        }
        for likely in [
            "030 1234567",
            "06 12 34 56 78",
            "555-123-4567",
            "555-0199",
            "0171/1234567",
        ] {
            assert_eq!(
                phone_shape(likely),
                Some(PhoneShape::Likely),
                "{}",
                likely.len()
            );
        }
        for none in [
            "2024-01-15 10:00",
            "12",
            "1.2.3",
            "1234567890",
            "AB-1234567",
        ] {
            assert_eq!(phone_shape(none), None, "{}", none.len());
        }
    }
}
