//! Postcodes whose shape speaks for itself, and the codes of countries and states.

/// Whether the text is a postcode of a country whose postcodes are told by shape: never plain five digits.
pub(crate) fn postcode(text: &str) -> bool {
    let b = text.as_bytes();
    let shape = |pattern: &str| fits(b, pattern);
    match b.len() {
        6 => shape("LDLDLD") || shape("DD-DDD") || shape("DDDDLL") || shape("DDD DD") || uk(b),
        7 => shape("LDL DLD") || shape("DDDD LL") || shape("LDL-DLD") || uk(b),
        8 => {
            shape("DDDD-DDD")
                || shape("DDD-DDDD")
                || uk(b)
                || shape("LL-DDDDD")
                || shape("LDD LDDD")
                || shape("LDD LLDD")
        }
        9 => shape("DDDDD-DDD"),
        10 => shape("DDDDD-DDDD"),
        5 => uk(b),
        _ => false,
    }
}

/// British: outward code of two to four, a space, a digit and two letters.
fn uk(b: &[u8]) -> bool {
    let Some(space) = b.iter().position(|c| *c == b' ') else {
        return matches!(b.len(), 6 | 7)
            && fits(&b[b.len() - 3..], "DLL")
            && outward(&b[..b.len() - 3]);
    };
    fits(&b[space + 1..], "DLL") && outward(&b[..space])
}

fn outward(b: &[u8]) -> bool {
    ["LD", "LDD", "LLD", "LLDD", "LDL", "LLDL"]
        .iter()
        .any(|p| fits(b, p))
}

fn fits(b: &[u8], pattern: &str) -> bool {
    b.len() == pattern.len()
        && b.iter().zip(pattern.bytes()).all(|(c, p)| match p {
            b'L' => c.is_ascii_alphabetic(),
            b'D' => c.is_ascii_digit(),
            other => *c == other,
        })
}

const COUNTRIES: &[u8] = b"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZWXK";
const US_STATES: &[u8] = b"ALAKAZARCACOCTDEFLGAHIIDILINIAKSKYLAMEMDMAMIMNMSMOMTNENVNHNJNMNYNCNDOHOKORPARISCSDTNTXUTVTVAWAWVWIWYDCPR";

fn among(list: &[u8], code: &[u8]) -> bool {
    code.len() == 2 && list.chunks_exact(2).any(|c| c == code)
}

/// Whether two upper-case letters are a country of ISO 3166-1.
pub(crate) fn is_country_code(code: &[u8]) -> bool {
    among(COUNTRIES, code)
}

/// Whether two upper-case letters are a state of the United States.
pub(crate) fn is_us_state(code: &[u8]) -> bool {
    among(US_STATES, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shapes_that_speak_count() {
        for good in [
            "SW1A 1AA",
            "M1 1AE",
            "K1A 0B1",
            "1012 AB",
            "00-950",
            "1000-001",
            "01310-100",
            "90210-1234",
        ] {
            assert!(postcode(good), "{good}");
        }
        for bad in ["90210", "75001", "12345", "ABCDEF", "123-45"] {
            assert!(!postcode(bad), "{bad}");
        }
        assert!(is_country_code(b"DE") && !is_country_code(b"QQ") && is_us_state(b"TX"));
    }
}
