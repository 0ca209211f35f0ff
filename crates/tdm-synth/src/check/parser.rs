//! From tokens to an expression, by precedence.

use tdm_core::catalog::TableSchema;

use super::lexer::{Token, tokens};
use super::{Comparison, Expr, Function};
use crate::number::Decimal;
use crate::value::Value;

const DEPTH_MAX: u32 = 64;

pub(super) fn parse(text: &str, table: &TableSchema, value: Option<usize>) -> Result<Expr, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        table,
        value,
        depth: 0,
    };
    // Some catalogs keep the keyword with the condition.
    parser.eat_word("check");
    let expr = parser.or()?;
    match parser.at == tokens.len() {
        true => Ok(expr),
        false => Err(parser.fail("something after the condition that cannot be read")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    table: &'a TableSchema,
    value: Option<usize>,
    depth: u32,
}

type Parsed = Result<Expr, String>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn fail(&self, what: &str) -> String {
        format!("{what} (token {})", self.at + 1)
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some(Token::Word(found, _)) if found == word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.eat(symbol) {
            Ok(())
        } else {
            Err(self.fail(&format!("a missing `{symbol}`")))
        }
    }

    fn or(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fail("a condition nested too deeply"));
        }
        let mut left = self.and()?;
        while self.eat_word("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Parsed {
        let mut left = self.not()?;
        while self.eat_word("and") {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed {
        if self.eat_word("not") {
            return Ok(Expr::Not(Box::new(self.not()?)));
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Parsed {
        let mut left = self.sum()?;
        loop {
            let negated = self.is_word(0, "not")
                && ["in", "like", "ilike", "between", "regexp", "rlike", "glob"]
                    .iter()
                    .any(|w| self.is_word(1, w));
            self.at += usize::from(negated);
            let found = if self.eat_word("is") {
                let not = self.eat_word("not");
                let test = if self.eat_word("null") {
                    Expr::IsNull(Box::new(left))
                } else if self.eat_word("true") {
                    // Unknown is not true: the test is never unknown itself.
                    Expr::Call(
                        Function::Coalesce,
                        vec![left, Expr::Literal(Value::Boolean(false))],
                    )
                } else if self.eat_word("false") {
                    let is = Expr::Call(
                        Function::Coalesce,
                        vec![left, Expr::Literal(Value::Boolean(true))],
                    );
                    Expr::Not(Box::new(is))
                } else {
                    return Err(self.fail("an unknown test after IS"));
                };
                if not { Expr::Not(Box::new(test)) } else { test }
            } else if self.eat_word("isnull") {
                Expr::IsNull(Box::new(left))
            } else if self.eat_word("notnull") {
                Expr::Not(Box::new(Expr::IsNull(Box::new(left))))
            } else if self.eat_word("in") {
                self.expect("(")?;
                Expr::In {
                    expr: Box::new(left),
                    list: self.list(")")?,
                }
            } else if self.eat_word("between") {
                let low = self.sum()?;
                if !self.eat_word("and") {
                    return Err(self.fail("BETWEEN without AND"));
                }
                let high = self.sum()?;
                Expr::And(
                    Box::new(Expr::Compare(
                        Comparison::GreaterOrEqual,
                        Box::new(left.clone()),
                        Box::new(low),
                    )),
                    Box::new(Expr::Compare(
                        Comparison::LessOrEqual,
                        Box::new(left),
                        Box::new(high),
                    )),
                )
            } else if self.eat_word("like") || self.eat("~~") {
                self.like(left, false)?
            } else if self.eat_word("ilike") || self.eat("~~*") {
                self.like(left, true)?
            } else if self.eat("!~~") || self.eat("!~~*") {
                Expr::Not(Box::new(self.like(left, false)?))
            } else if self.eat_word("regexp") || self.eat_word("rlike") || self.eat("~") {
                self.matches(left, false)?
            } else if self.eat("~*") {
                self.matches(left, true)?
            } else if self.eat("!~") || self.eat("!~*") {
                Expr::Not(Box::new(self.matches(left, false)?))
            } else if let Some(comparison) = self.comparison() {
                self.compared(comparison, left)?
            } else {
                return Ok(left);
            };
            left = if negated {
                Expr::Not(Box::new(found))
            } else {
                found
            };
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let Some(Token::Symbol(symbol)) = self.peek() else {
            return None;
        };
        let comparison = match *symbol {
            "=" | "==" => Comparison::Equal,
            "<>" | "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(comparison)
    }

    fn compared(&mut self, comparison: Comparison, left: Expr) -> Parsed {
        let any = self.is_word(0, "any") || self.is_word(0, "some");
        let all = self.is_word(0, "all");
        if any || all {
            self.at += 1;
            let list = self.array()?;
            let is_in = Expr::In {
                expr: Box::new(left),
                list,
            };
            return match (any, comparison) {
                (true, Comparison::Equal) => Ok(is_in),
                (false, Comparison::NotEqual) => Ok(Expr::Not(Box::new(is_in))),
                _ => Err(self.fail("ANY and ALL are read with = and <> only")),
            };
        }
        let right = self.sum()?;
        Ok(Expr::Compare(comparison, Box::new(left), Box::new(right)))
    }

    /// `(ARRAY[…])`, with casts and brackets around it, or `('{…}'::type[])`.
    fn array(&mut self) -> Result<Vec<Expr>, String> {
        if self.eat("(") {
            let list = self.array()?;
            self.expect(")")?;
            self.casts();
            return Ok(list);
        }
        if self.eat_word("array") {
            self.expect("[")?;
            let list = self.list("]")?;
            self.casts();
            return Ok(list);
        }
        if let Some(Token::Text(text)) = self.peek() {
            let inner = text.trim_start_matches('{').trim_end_matches('}');
            let list = inner
                .split(',')
                .map(|item| Expr::Literal(Value::Text(item.trim_matches('"').to_owned())))
                .collect();
            self.at += 1;
            self.casts();
            return Ok(list);
        }
        Err(self.fail("a list after ANY or ALL that cannot be read"))
    }

    fn list(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut list = Vec::new();
        if self.eat(end) {
            return Ok(list);
        }
        loop {
            list.push(self.or()?);
            if self.eat(end) {
                return Ok(list);
            }
            self.expect(",")?;
        }
    }

    fn constant_text(&mut self) -> Result<String, String> {
        match self.sum()? {
            Expr::Literal(Value::Text(text)) => Ok(text),
            _ => Err(self.fail("a pattern that is no literal")),
        }
    }

    fn like(&mut self, expr: Expr, fold: bool) -> Parsed {
        let pattern = self.constant_text()?;
        let escape = if self.eat_word("escape") {
            self.constant_text()?.chars().next()
        } else {
            Some('\\')
        };
        Ok(Expr::Like {
            expr: Box::new(expr),
            pattern,
            escape,
            fold,
        })
    }

    fn matches(&mut self, expr: Expr, fold: bool) -> Parsed {
        let pattern = self.constant_text()?;
        let regex = regex::RegexBuilder::new(&pattern)
            .case_insensitive(fold)
            .build()
            .map_err(|_| self.fail("a regular expression that cannot be read"))?;
        Ok(Expr::Matches {
            expr: Box::new(expr),
            pattern,
            regex: Box::new(regex),
        })
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let sign = if self.eat("+") {
                '+'
            } else if self.eat("-") {
                '-'
            } else if self.eat("||") {
                let right = self.product()?;
                left = Expr::Call(Function::Concat, vec![left, right]);
                continue;
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(sign, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.unary()?;
        loop {
            let sign = match () {
                () if self.eat("*") => '*',
                () if self.eat("/") => '/',
                () if self.eat("%") => '%',
                () => return Ok(left),
            };
            left = Expr::Arithmetic(sign, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Parsed {
        if self.eat("-") {
            return Ok(Expr::Negate(Box::new(self.unary()?)));
        }
        if self.eat("+") {
            return self.unary();
        }
        let expr = self.primary()?;
        self.casts();
        if self.eat_word("collate") {
            self.at += 1;
        }
        Ok(expr)
    }

    /// `::type(n,m)[]`, any number of times: the value stays, comparison decides by what it is compared with.
    fn casts(&mut self) {
        while self.eat("::") {
            self.type_name();
        }
    }

    fn type_name(&mut self) {
        while matches!(self.peek(), Some(Token::Name(_)))
            || matches!(self.peek(), Some(Token::Word(word, _)) if !is_reserved(word))
        {
            self.at += 1;
            self.eat(".");
        }
        if self.eat("(") {
            while !self.eat(")") && self.at < self.tokens.len() {
                self.at += 1;
            }
        }
        while self.eat("[") {
            self.eat("]");
        }
    }

    fn primary(&mut self) -> Parsed {
        let token = self
            .peek()
            .cloned()
            .ok_or_else(|| self.fail("an early end"))?;
        self.at += 1;
        match token {
            Token::Number(text) => Decimal::parse(&text)
                .map(|n| Expr::Literal(Value::Number(n)))
                .ok_or_else(|| self.fail("a number that cannot be read")),
            Token::Text(text) => Ok(Expr::Literal(Value::Text(text))),
            Token::Symbol("(") => {
                let inner = self.or()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Name(name) => self.column(&name, true),
            Token::Word(word, written) => match word.as_str() {
                "true" => Ok(Expr::Literal(Value::Boolean(true))),
                "false" => Ok(Expr::Literal(Value::Boolean(false))),
                "null" => Ok(Expr::Literal(Value::Null)),
                "date" | "timestamp" if matches!(self.peek(), Some(Token::Text(_))) => {
                    self.primary()
                }
                "cast" if self.eat("(") => {
                    let inner = self.or()?;
                    if !self.eat_word("as") {
                        return Err(self.fail("CAST without AS"));
                    }
                    self.type_name();
                    self.expect(")")?;
                    Ok(inner)
                }
                _ if self.eat("(") => self.call(&word),
                "value" if self.value.is_some() => Ok(Expr::Column(self.value.unwrap_or_default())),
                _ => self.column(&written, false),
            },
            Token::Symbol(_) => Err(self.fail("an unexpected symbol")),
        }
    }

    fn call(&mut self, name: &str) -> Parsed {
        let arguments = self.list(")")?;
        let function = match name {
            "length" | "char_length" | "character_length" | "octet_length" => Function::Length,
            "lower" | "lcase" => Function::Lower,
            "upper" | "ucase" => Function::Upper,
            "trim" | "btrim" | "ltrim" | "rtrim" => Function::Trim,
            "abs" => Function::Abs,
            "coalesce" | "ifnull" => Function::Coalesce,
            "json_valid" => Function::JsonValid,
            "concat" => Function::Concat,
            "regexp_like" => return self.regexp_like(arguments),
            _ => {
                return Err(self.fail(&format!(
                    "the function `{name}`, which is not evaluated here"
                )));
            }
        };
        let one = !matches!(function, Function::Coalesce | Function::Concat);
        if arguments.is_empty() || (one && arguments.len() != 1) {
            return Err(self.fail(&format!(
                "the function `{name}` with other arguments than are evaluated here"
            )));
        }
        Ok(Expr::Call(function, arguments))
    }

    fn regexp_like(&mut self, arguments: Vec<Expr>) -> Parsed {
        let mut arguments = arguments.into_iter();
        let (Some(expr), Some(Expr::Literal(Value::Text(pattern)))) =
            (arguments.next(), arguments.next())
        else {
            return Err(self.fail("a pattern that is no literal"));
        };
        let regex = regex::Regex::new(&pattern)
            .map_err(|_| self.fail("a regular expression that cannot be read"))?;
        Ok(Expr::Matches {
            expr: Box::new(expr),
            pattern,
            regex: Box::new(regex),
        })
    }

    /// A column, with or without names of schema and table in front.
    fn column(&mut self, name: &str, quoted: bool) -> Parsed {
        let mut name = name.to_owned();
        while self.eat(".") {
            match self.peek() {
                Some(Token::Name(next) | Token::Word(_, next)) => name.clone_from(next),
                _ => return Err(self.fail("a name that ends in a point")),
            }
            self.at += 1;
        }
        let exact = self.table.columns.iter().position(|c| c.name == name);
        let found = exact.or_else(|| {
            let folded = !quoted || self.table.columns.iter().all(|c| c.name != name);
            self.table
                .columns
                .iter()
                .position(|c| folded && c.name.eq_ignore_ascii_case(&name))
        });
        found
            .map(Expr::Column)
            .ok_or_else(|| self.fail("a name that is no column of the table"))
    }
}

fn is_reserved(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "or"
            | "not"
            | "in"
            | "is"
            | "like"
            | "ilike"
            | "between"
            | "collate"
            | "escape"
            | "array"
            | "any"
            | "all"
            | "regexp"
    )
}
