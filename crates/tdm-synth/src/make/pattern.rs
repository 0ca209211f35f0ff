//! Texts after a pattern in the language of regular expressions: sampled, counted and unranked.
//!
//! Literals, `.`, classes `[A-Z0-9_]` and `[^…]`, `\d \w \s`, groups, alternatives and the repetitions
//! `? * + {n} {n,m}`; open repetitions end at eight. Anchors at both ends are ignored: a pattern always means
//! the whole text. Everything else is refused when it is read.

use super::{Build, Built, CAPACITY_MAX, Draw, Maker};
use crate::philox::CellRng;
use crate::value::Value;

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Class(Vec<char>),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        node: Box<Node>,
        least: u32,
        most: u32,
    },
}

const OPEN_END: u32 = 8;
const REPEAT_MAX: u32 = 1_000;
const DEPTH_MAX: u32 = 32;

impl Node {
    /// How many texts there are, counted once for each way to make them; saturates.
    fn count(&self) -> u64 {
        match self {
            Self::Class(chars) => chars.len() as u64,
            Self::Sequence(nodes) => nodes.iter().fold(1, |n, node| times(n, node.count())),
            Self::Either(nodes) => nodes.iter().fold(0, |n, node| plus(n, node.count())),
            Self::Repeat { node, least, most } => {
                let each = node.count();
                (*least..=*most).fold(0, |n, times| plus(n, power(each, times)))
            }
        }
    }

    fn unrank(&self, mut rank: u64, out: &mut String) {
        match self {
            Self::Class(chars) => out.push(chars[usize::try_from(rank).unwrap_or(0) % chars.len()]),
            Self::Sequence(nodes) => {
                // The last part turns fastest, as digits do.
                let mut ranks = vec![0; nodes.len()];
                for (slot, node) in ranks.iter_mut().zip(nodes).rev() {
                    let count = node.count().max(1);
                    *slot = rank % count;
                    rank /= count;
                }
                for (rank, node) in ranks.into_iter().zip(nodes) {
                    node.unrank(rank, out);
                }
            }
            Self::Either(nodes) => {
                for node in nodes {
                    let count = node.count();
                    if rank < count {
                        return node.unrank(rank, out);
                    }
                    rank -= count;
                }
            }
            Self::Repeat { node, least, most } => {
                let each = node.count().max(1);
                for times in *least..=*most {
                    let count = power(each, times);
                    if rank < count {
                        let mut ranks = vec![0; times as usize];
                        for slot in ranks.iter_mut().rev() {
                            *slot = rank % each;
                            rank /= each;
                        }
                        return ranks.into_iter().for_each(|rank| node.unrank(rank, out));
                    }
                    rank -= count;
                }
            }
        }
    }

    fn sample(&self, rng: &mut CellRng, out: &mut String) {
        match self {
            Self::Class(chars) => {
                out.push(chars[rng.pick(u32::try_from(chars.len()).unwrap_or(1)) as usize]);
            }
            Self::Sequence(nodes) => nodes.iter().for_each(|node| node.sample(rng, out)),
            Self::Either(nodes) => {
                let at = rng.pick(u32::try_from(nodes.len()).unwrap_or(1)) as usize;
                nodes[at].sample(rng, out);
            }
            Self::Repeat { node, least, most } => {
                let times = least + rng.pick(most - least + 1);
                (0..times).for_each(|_| node.sample(rng, out));
            }
        }
    }

    /// Longest text in characters.
    pub(crate) fn longest(&self) -> u64 {
        match self {
            Self::Class(_) => 1,
            Self::Sequence(nodes) => nodes.iter().fold(0, |n, node| plus(n, node.longest())),
            Self::Either(nodes) => nodes.iter().map(Self::longest).max().unwrap_or(0),
            Self::Repeat { node, most, .. } => times(node.longest(), u64::from(*most)),
        }
    }

    /// Whether no text can be made in two ways, as far as is seen easily: ranks are then distinct texts.
    fn injective(&self) -> bool {
        match self {
            Self::Class(_) => true,
            Self::Repeat { node, .. } => node.injective() && node.fixed().is_some_and(|n| n > 0),
            Self::Sequence(nodes) => {
                nodes.iter().all(Self::injective)
                    && nodes.iter().filter(|n| n.fixed().is_none()).count() <= 1
            }
            Self::Either(nodes) => {
                nodes.iter().all(Self::injective)
                    && nodes
                        .iter()
                        .enumerate()
                        .all(|(at, a)| nodes[..at].iter().all(|b| a.apart(b)))
            }
        }
    }

    /// Whether no text of one is a text of the other: by length or by the first character.
    fn apart(&self, other: &Self) -> bool {
        match (self.fixed(), other.fixed()) {
            (Some(a), Some(b)) if a != b => true,
            _ => match (self.first(), other.first()) {
                (Some(a), Some(b)) => a.iter().all(|c| !b.contains(c)),
                _ => false,
            },
        }
    }

    /// The one length of all texts, when they have one.
    fn fixed(&self) -> Option<u64> {
        match self {
            Self::Class(_) => Some(1),
            Self::Sequence(nodes) => nodes
                .iter()
                .try_fold(0, |n, node| Some(plus(n, node.fixed()?))),
            Self::Either(nodes) => {
                let length = nodes.first()?.fixed()?;
                nodes
                    .iter()
                    .all(|node| node.fixed() == Some(length))
                    .then_some(length)
            }
            Self::Repeat { node, least, most } => {
                (least == most).then(|| node.fixed().map(|n| times(n, u64::from(*most))))?
            }
        }
    }

    /// Characters that a text may begin with, when every text begins with one of this node's own.
    fn first(&self) -> Option<&[char]> {
        match self {
            Self::Class(chars) => Some(chars),
            Self::Sequence(nodes) => nodes.first()?.first(),
            Self::Repeat { node, least, .. } if *least > 0 => node.first(),
            _ => None,
        }
    }

    /// Shortens open ends so that no text is longer than `room`, when that can be done by repeating less.
    fn shorten(&mut self, room: u64) {
        let surplus = self.longest().saturating_sub(room);
        if surplus == 0 {
            return;
        }
        match self {
            Self::Repeat { node, least, most } => {
                let each = node.longest().max(1);
                let fits = u32::try_from(room / each).unwrap_or(u32::MAX);
                *most = (*most).min(fits).max(*least);
            }
            Self::Sequence(nodes) => {
                for at in (0..nodes.len()).rev() {
                    let others: u64 = nodes
                        .iter()
                        .enumerate()
                        .filter(|(i, _)| *i != at)
                        .map(|(_, n)| n.longest())
                        .sum();
                    nodes[at].shorten(room.saturating_sub(others));
                }
            }
            Self::Either(nodes) => nodes.iter_mut().for_each(|node| node.shorten(room)),
            Self::Class(_) => {}
        }
    }

    /// One spelling of each letter: under a collation that ignores case the others would be the same.
    fn fold_case(&mut self) {
        match self {
            Self::Class(chars) => {
                let mut seen = std::collections::BTreeSet::new();
                chars.retain(|c| seen.insert(c.to_ascii_lowercase()));
            }
            Self::Sequence(nodes) | Self::Either(nodes) => {
                nodes.iter_mut().for_each(Self::fold_case);
            }
            Self::Repeat { node, .. } => node.fold_case(),
        }
    }
}

const fn plus(a: u64, b: u64) -> u64 {
    let sum = a.saturating_add(b);
    if sum > CAPACITY_MAX {
        CAPACITY_MAX
    } else {
        sum
    }
}

const fn times(a: u64, b: u64) -> u64 {
    let product = a.saturating_mul(b);
    if product > CAPACITY_MAX {
        CAPACITY_MAX
    } else {
        product
    }
}

const fn power(base: u64, exponent: u32) -> u64 {
    let power = base.saturating_pow(exponent);
    if power > CAPACITY_MAX {
        CAPACITY_MAX
    } else {
        power
    }
}

/// Reads a pattern.
///
/// # Errors
/// What cannot be read, as a sentence with its position.
pub(crate) fn parse(pattern: &str) -> Result<Node, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut reader = Reader {
        chars: &chars,
        at: 0,
        depth: 0,
    };
    let node = reader.either()?;
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.fail("an unmatched `)`")),
    }
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn fail(&self, what: &str) -> String {
        format!("{what} at character {}", self.at + 1)
    }

    fn either(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fail("groups nested too deeply"));
        }
        let mut options = vec![self.sequence()?];
        while self.eat('|') {
            options.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if options.len() == 1 {
            options.remove(0)
        } else {
            Node::Either(options)
        })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            let node = match c {
                '|' | ')' => break,
                '^' | '$' => {
                    self.at += 1;
                    continue;
                }
                '(' => {
                    self.at += 1;
                    if self.eat('?') && !self.eat(':') {
                        return Err(self.fail("a group of an unknown kind"));
                    }
                    let node = self.either()?;
                    if !self.eat(')') {
                        return Err(self.fail("a missing `)`"));
                    }
                    node
                }
                '[' => {
                    self.at += 1;
                    Node::Class(self.class()?)
                }
                '.' => {
                    self.at += 1;
                    Node::Class(('a'..='z').chain('0'..='9').collect())
                }
                '\\' => {
                    self.at += 1;
                    Node::Class(self.escape()?)
                }
                '*' | '+' | '?' | '{' => return Err(self.fail("a repetition of nothing")),
                literal => {
                    self.at += 1;
                    Node::Class(vec![literal])
                }
            };
            nodes.push(self.repeated(node)?);
        }
        Ok(Node::Sequence(nodes))
    }

    fn repeated(&mut self, node: Node) -> Result<Node, String> {
        let (least, most) = match self.peek() {
            Some('?') => (0, 1),
            Some('*') => (0, OPEN_END),
            Some('+') => (1, OPEN_END),
            Some('{') => {
                let rest: String = self.chars[self.at + 1..]
                    .iter()
                    .take_while(|c| **c != '}')
                    .collect();
                let bounds = match rest.split_once(',') {
                    None => rest.parse().map(|n| (n, n)).ok(),
                    Some((least, "")) => least.parse::<u32>().map(|n| (n, n.max(OPEN_END))).ok(),
                    Some((least, most)) => least.parse().ok().zip(most.parse().ok()),
                };
                let Some((least, most)) = bounds.filter(|(l, m)| l <= m && *m <= REPEAT_MAX) else {
                    return Err(self.fail("a repetition that cannot be read"));
                };
                self.at += rest.chars().count() + 1;
                (least, most)
            }
            _ => return Ok(node),
        };
        self.at += 1;
        if self.peek() == Some('?') {
            self.at += 1;
        }
        Ok(Node::Repeat {
            node: Box::new(node),
            least,
            most,
        })
    }

    fn escape(&mut self) -> Result<Vec<char>, String> {
        Ok(match self.next() {
            Some('d') => ('0'..='9').collect(),
            Some('w') => ('a'..='z')
                .chain('A'..='Z')
                .chain('0'..='9')
                .chain(['_'])
                .collect(),
            Some('s') => vec![' '],
            Some(c) if !c.is_ascii_alphanumeric() => vec![c],
            _ => return Err(self.fail("an escape that is not known")),
        })
    }

    fn class(&mut self) -> Result<Vec<char>, String> {
        let negated = self.eat('^');
        let mut chars: Vec<char> = Vec::new();
        let mut first = true;
        loop {
            match self.next() {
                None => return Err(self.fail("a missing `]`")),
                Some(']') if !first => break,
                Some('[') if self.peek() == Some(':') => {
                    let name: String = self.chars[self.at + 1..]
                        .iter()
                        .take_while(|c| **c != ':')
                        .collect();
                    chars.extend(match name.as_str() {
                        "digit" => ('0'..='9').collect::<Vec<_>>(),
                        "alpha" => ('a'..='z').chain('A'..='Z').collect(),
                        "alnum" => ('0'..='9').chain('a'..='z').chain('A'..='Z').collect(),
                        "upper" => ('A'..='Z').collect(),
                        "lower" => ('a'..='z').collect(),
                        "space" => vec![' '],
                        _ => return Err(self.fail("a class of an unknown name")),
                    });
                    self.at += name.chars().count() + 3;
                }
                Some('\\') => chars.extend(self.escape()?),
                Some(low)
                    if self.peek() == Some('-')
                        && self.chars.get(self.at + 1).is_some_and(|c| *c != ']') =>
                {
                    self.at += 1;
                    let high = self.next().unwrap_or(low);
                    if high < low || u32::from(high) - u32::from(low) > 4_096 {
                        return Err(self.fail("a range that runs backwards or is too wide"));
                    }
                    chars.extend(low..=high);
                }
                Some(c) => chars.push(c),
            }
            first = false;
        }
        if negated {
            chars = (' '..='~').filter(|c| !chars.contains(c)).collect();
        }
        let mut seen = std::collections::BTreeSet::new();
        chars.retain(|c| seen.insert(*c));
        if chars.is_empty() {
            return Err(self.fail("a class without characters"));
        }
        Ok(chars)
    }
}

/// The pattern that SQL's `LIKE` means; `%` stands for up to eight characters.
pub(crate) fn from_like(like: &str, escape: Option<char>) -> String {
    let mut out = String::new();
    let mut literal = false;
    for c in like.chars() {
        match c {
            c if !literal && Some(c) == escape => {
                literal = true;
                continue;
            }
            '%' if !literal => out.push_str("[a-z0-9]{0,8}"),
            '_' if !literal => out.push_str("[a-z0-9]"),
            c if c.is_ascii_punctuation() => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        literal = false;
    }
    out
}

#[derive(Debug)]
struct Pattern {
    node: Node,
    count: u64,
}

impl Maker for Pattern {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        self.node.sample(&mut draw.rng, out.text());
    }

    fn capacity(&self) -> Option<u64> {
        self.node.injective().then_some(self.count)
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        self.node.unrank(rank, out.text());
    }
}

fn from_text(build: &Build<'_>, pattern: &str, fold: bool) -> Built {
    let mut node = parse(pattern).map_err(|reason| build.wrong("pattern", reason))?;
    let room = build.room() as u64;
    node.shorten(room);
    if node.longest() > room {
        return Err(build.wrong(
            "pattern",
            format!(
                "makes texts of {} characters and the column has {room}",
                node.longest()
            ),
        ));
    }
    if fold {
        node.fold_case();
    }
    let count = node.count().max(1);
    Ok(Box::new(Pattern { node, count }))
}

/// Texts after the pattern that the recipe gives.
pub(super) fn pattern(build: &Build<'_>) -> Built {
    let text = build
        .params
        .text("pattern")
        .or(build.bounds.pattern.as_deref())
        .unwrap_or("[a-z]{8}");
    from_text(
        build,
        text,
        build.params.boolean("ignore_case").unwrap_or(false),
    )
}

/// Hexadecimal digits, as hashes and tokens look.
pub(super) fn hash(build: &Build<'_>) -> Built {
    let length = build
        .params
        .integer("length")
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(64);
    from_text(
        build,
        &format!(
            "[0-9a-f]{{{}}}",
            length.min(build.room()).min(REPEAT_MAX as usize)
        ),
        false,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_give_every_text_once() {
        let node = parse("^(A|B[0-3])-\\d{1,2}x?$").unwrap();
        let count = node.count();
        assert_eq!(count, 5 * 110 * 2);
        let mut seen = std::collections::BTreeSet::new();
        for rank in 0..count {
            let mut text = String::new();
            node.unrank(rank, &mut text);
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn ambiguity_is_seen() {
        for clear in ["[A-Z]{2}\\d{1,4}", "A|B[0-3]", "(ab|cd)?"] {
            assert!(parse(clear).unwrap().injective(), "{clear}");
        }
        for ambiguous in ["a?a?", "(ab|a)b?", "[a-z]*[a-z]*"] {
            assert!(!parse(ambiguous).unwrap().injective(), "{ambiguous}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in [
            "(", ")", "[", "[]", "a{2,1}", "*", "\\b", "(?=a)", "[z-a]", "a{9999}",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn open_ends_shrink_to_the_room() {
        let mut node = parse("ab[0-9]+").unwrap();
        node.shorten(4);
        assert_eq!(node.longest(), 4);
        assert_eq!(from_like("A\\_%", Some('\\')), "A\\_[a-z0-9]{0,8}");
    }
}
