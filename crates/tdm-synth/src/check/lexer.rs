//! Cuts a constraint into tokens, with the quoting of all three engines.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bare word, in lower case, and as it was written.
    Word(String, String),
    /// A quoted identifier.
    Name(String),
    Number(String),
    Text(String),
    Symbol(&'static str),
}

/// Symbols, longer ones first.
const SYMBOLS: [&str; 32] = [
    "!~~*", "!~~", "!~*", "~~*", "!~", "~~", "~*", "<=>", "->>", "::", "<=", ">=", "<>", "!=",
    "==", "||", "->", "(", ")", ",", ".", "[", "]", "=", "<", ">", "+", "-", "*", "/", "%", "~",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        match c {
            c if c.is_whitespace() => at += 1,
            '\'' => {
                let (content, next) = quoted(&chars, at, '\'')?;
                // A character set (`_utf8mb4'…'`) or a kind (`E'…'`, `N'…'`) in front says nothing here.
                if let Some(Token::Word(word, _)) = out.last()
                    && (word.starts_with('_') || word == "e" || word == "n")
                    && chars
                        .get(at.wrapping_sub(1))
                        .is_some_and(|c| c.is_alphanumeric())
                {
                    out.pop();
                }
                out.push(Token::Text(content));
                at = next;
            }
            '"' | '`' => {
                let (content, next) = quoted(&chars, at, c)?;
                out.push(Token::Name(content));
                at = next;
            }
            c if c.is_ascii_digit()
                || (c == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit)) =>
            {
                let start = at;
                while at < chars.len() && (chars[at].is_ascii_digit() || chars[at] == '.') {
                    at += 1;
                }
                let exponent = at < chars.len()
                    && matches!(chars[at], 'e' | 'E')
                    && chars
                        .get(at + 1)
                        .is_some_and(|c| c.is_ascii_digit() || matches!(c, '+' | '-'));
                if exponent {
                    at += 2;
                    while at < chars.len() && chars[at].is_ascii_digit() {
                        at += 1;
                    }
                }
                out.push(Token::Number(chars[start..at].iter().collect()));
            }
            c if c.is_alphabetic() || c == '_' => {
                let start = at;
                while at < chars.len()
                    && (chars[at].is_alphanumeric() || matches!(chars[at], '_' | '$'))
                {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                out.push(Token::Word(word.to_lowercase(), word));
            }
            _ => {
                let rest: String = chars[at..chars.len().min(at + 4)].iter().collect();
                let symbol = SYMBOLS
                    .iter()
                    .find(|s| rest.starts_with(**s))
                    .ok_or_else(|| format!("an unknown symbol at character {}", at + 1))?;
                out.push(Token::Symbol(symbol));
                at += symbol.len();
            }
        }
    }
    Ok(out)
}

/// The content between quotes, where a doubled quote is one, and the position after it.
fn quoted(chars: &[char], start: usize, quote: char) -> Result<(String, usize), String> {
    let mut content = String::new();
    let mut at = start + 1;
    while at < chars.len() {
        if chars[at] != quote {
            content.push(chars[at]);
            at += 1;
        } else if chars.get(at + 1) == Some(&quote) {
            content.push(quote);
            at += 2;
        } else {
            return Ok((content, at + 1));
        }
    }
    Err(format!("an open quote at character {}", start + 1))
}
