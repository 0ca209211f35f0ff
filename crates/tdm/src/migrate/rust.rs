//! Rust text as rustfmt would leave it: calls, chains and lists within its default widths.

/// Longest line.
const LINE: usize = 100;
/// Longest chain on one line, and longest list of arguments or elements on one line.
const SHORT: usize = 60;
/// Elements up to this long are packed into lines; a list with a longer one has one element a line.
const PACKED: usize = 10;

/// An argument of a call.
pub(super) enum Argument {
    /// A word, a literal, a path.
    Plain(String),
    /// A slice of texts: `&["a", "b"]`.
    Texts(Vec<String>),
}

/// A text as a Rust literal.
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}

pub(super) fn text(text: &str) -> Argument {
    Argument::Plain(literal(text))
}

pub(super) fn plain(word: &str) -> Argument {
    Argument::Plain(word.to_owned())
}

pub(super) fn texts(texts: &[String]) -> Argument {
    Argument::Texts(texts.to_vec())
}

/// The part of a name that an identifier may hold.
pub(super) fn word(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

/// `name(arguments)` at `indent`, without the indentation of its first line.
fn call(indent: usize, name: &str, arguments: &[Argument]) -> String {
    let flat: Vec<String> = arguments.iter().map(Argument::flat).collect();
    let joined = flat.join(", ");
    // A list may be longer than what is allowed for one line, and then nothing around it fits on one.
    let fits = arguments.iter().all(Argument::is_short);
    if fits && joined.len() <= SHORT && indent + name.len() + joined.len() + 2 < LINE {
        return format!("{name}({joined})");
    }
    // Breaking the line would not make a single argument shorter.
    if let [only] = arguments {
        return format!("{name}({})", only.at(indent));
    }
    let inner = indent + 4;
    let lines: Vec<String> = arguments
        .iter()
        .map(|argument| format!("{}{},\n", " ".repeat(inner), argument.at(inner)))
        .collect();
    format!("{name}(\n{}{})", lines.concat(), " ".repeat(indent))
}

/// `root.call().call()` at `indent`; `tail` follows the last call on its line, for example `;`.
pub(super) fn chain(
    indent: usize,
    root: &str,
    calls: &[(String, Vec<Argument>)],
    tail: &str,
) -> String {
    let pad = " ".repeat(indent);
    let flat: String = calls
        .iter()
        .map(|(name, arguments)| {
            let arguments: Vec<String> = arguments.iter().map(Argument::flat).collect();
            if name.ends_with('?') {
                format!(".{name}")
            } else {
                format!(".{name}({})", arguments.join(", "))
            }
        })
        .collect();
    let short = calls
        .iter()
        .flat_map(|(_, arguments)| arguments)
        .all(Argument::is_short);
    // A chain of one call is no chain to rustfmt: it may fill the line.
    let room = if calls.len() == 1 {
        LINE - indent
    } else {
        SHORT
    };
    if short && root.len() + flat.len() + tail.len() <= room {
        return format!("{pad}{root}{flat}{tail}\n");
    }
    let inner = " ".repeat(indent + 4);
    let mut lines = format!("{pad}{root}\n");
    for (name, arguments) in calls {
        let call = if name.ends_with('?') {
            format!(".{name}")
        } else {
            call(indent + 4, &format!(".{name}"), arguments)
        };
        lines.push_str(&format!("{inner}{call}\n"));
    }
    lines.pop();
    lines.push_str(&format!("{tail}\n"));
    lines
}

/// `const NAME: &[&str] = &[…];`
pub(super) fn constant(name: &str, elements: &[String]) -> String {
    format!(
        "pub(crate) const {name}: &[&str] = {};\n",
        texts(elements).at(0)
    )
}

impl Argument {
    fn flat(&self) -> String {
        match self {
            Self::Plain(word) => word.clone(),
            Self::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| literal(text)).collect();
                format!("&[{}]", texts.join(", "))
            }
        }
    }

    /// Whether it may stand on one line.
    fn is_short(&self) -> bool {
        matches!(self, Self::Plain(_)) || self.flat().len() <= SHORT + 3
    }

    /// The argument at `indent`, without the indentation of its first line.
    fn at(&self, indent: usize) -> String {
        let Self::Texts(texts) = self else {
            return self.flat();
        };
        if self.is_short() {
            return self.flat();
        }
        let literals: Vec<String> = texts.iter().map(|text| literal(text)).collect();
        let inner = " ".repeat(indent + 4);
        let mut lines: Vec<String> = Vec::new();
        let packed = literals.iter().all(|literal| literal.len() <= PACKED);
        let count = literals.len();
        for (at, literal) in literals.into_iter().enumerate() {
            // Behind one that is not the last, rustfmt keeps room for the blank.
            let line_end = if at + 1 == count { LINE } else { LINE - 1 };
            match lines.last_mut() {
                Some(line)
                    if packed && inner.len() + line.len() + literal.len() + 2 <= line_end =>
                {
                    line.push_str(&format!(" {literal},"));
                }
                _ => lines.push(format!("{literal},")),
            }
        }
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("{inner}{line}\n"))
            .collect();
        format!("&[\n{}{}]", lines.concat(), " ".repeat(indent))
    }
}
