//! Names taken apart into lower-case words.

/// Words of a name: split at what is neither letter nor digit, and where `camelCase` and `HTTPServer` change.
///
/// ```
/// assert_eq!(tdm_discovery::words("HTTPServer_idV2"), ["http", "server", "id", "v2"]);
/// assert_eq!(tdm_discovery::words("kundenNr"), ["kunden", "nr"]);
/// ```
pub fn tokens(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let next = chars.get(i + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_numeric()
                    || b.is_uppercase() && next.is_some_and(|n| n.is_lowercase())
            });
        if begins {
            words.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The singular of an English noun, by rule; words of other languages mostly stay as they are.
pub(crate) fn singular(word: &str) -> String {
    const IRREGULAR: [(&str, &str); 8] = [
        ("people", "person"),
        ("children", "child"),
        ("men", "man"),
        ("women", "woman"),
        ("statuses", "status"),
        ("indices", "index"),
        ("matrices", "matrix"),
        ("series", "series"),
    ];
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return (*one).to_owned();
    }
    let cut = |n: usize, end: &str| format!("{}{end}", &word[..word.len() - n]);
    if word.len() > 4 && word.ends_with("ies") {
        cut(3, "y")
    } else if ["sses", "shes", "ches", "xes", "zes"]
        .iter()
        .any(|end| word.ends_with(end))
    {
        cut(2, "")
    } else if word.len() > 3
        && word.ends_with('s')
        && !["ss", "us", "is"].iter().any(|end| word.ends_with(end))
    {
        cut(1, "")
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_where_people_read_them_apart() {
        for (name, words) in [
            ("SupportRepId", vec!["support", "rep", "id"]),
            ("customer_id", vec!["customer", "id"]),
            ("t_KUNDE", vec!["t", "kunde"]),
            ("ss_sold_date_sk", vec!["ss", "sold", "date", "sk"]),
            ("__", vec![]),
            ("Größe", vec!["größe"]),
        ] {
            assert_eq!(tokens(name), words, "{name}");
        }
    }

    #[test]
    fn plurals_become_singular() {
        for (many, one) in [
            ("customers", "customer"),
            ("categories", "category"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("status", "status"),
            ("people", "person"),
            ("analysis", "analysis"),
            ("class", "class"),
            ("bus", "bus"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
