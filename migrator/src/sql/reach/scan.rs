//! Goes through a script, and through the code in its strings.

use std::collections::BTreeSet;

use super::dynamic::{self, Folded};
use super::mentions;
use super::statement::{Verdict, verdict};
use super::tokens::{Placed, Text, Token, tokens};
use super::{Contents, CreatedSchema, Found, Reach, Scripts};

/// Words after which a statement begins, in the body of a routine.
const BEFORE_STATEMENTS: &[&str] = &["ATOMIC", "BEGIN", "ELSE", "LOOP", "THEN"];

/// How deep code in strings of code is followed.
const DEPTH: usize = 8;

/// The search through one script.
pub(super) struct Scan<'a> {
    scripts: &'a Scripts,
    pub(super) contents: Contents,
    /// Routines that the script creates.
    pub(super) routines: Vec<Routine>,
    pub(super) foreign_tables: BTreeSet<String>,
    /// Tables and views with the tables to which they may pass a write on.
    pub(super) passing_on: Vec<(String, BTreeSet<String>)>,
    /// True if the code, outside routines that it creates, runs text that is not constant.
    pub(super) is_dynamic: bool,
    /// The functions and procedures that it calls.
    pub(super) calls: BTreeSet<String>,
    depth: usize,
}

/// A function or procedure.
pub(super) struct Routine {
    pub(super) name: String,
    /// True if it runs text that is not constant.
    pub(super) is_dynamic: bool,
    pub(super) calls: BTreeSet<String>,
}

/// Kinds of code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    /// A script, or a function in SQL.
    Sql,
    /// A body in PL/pgSQL, where `execute` runs a text.
    Plpgsql,
}

/// Where code is in the script.
#[derive(Clone, Copy)]
enum Origin {
    /// It begins at this offset, and is written there character by character.
    At(usize),
    /// It is the value of what is at this offset.
    ValueOf(usize),
}

/// The statement that is being read, as far as it decides about its strings.
enum Current {
    Do,
    Routine,
    /// A message to the user.
    Raise,
    Other,
}

impl Origin {
    fn place(self, offset: usize) -> usize {
        match self {
            Self::At(start) => start + offset,
            Self::ValueOf(start) => start,
        }
    }

    /// Origin of a text in this code, which stands at `start` there.
    fn inner(self, inside: Option<usize>, start: usize) -> Self {
        match (self, inside) {
            (Self::At(own), Some(inside)) => Self::At(own + inside),
            _ => Self::ValueOf(self.place(start)),
        }
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(scripts: &'a Scripts) -> Self {
        Self {
            scripts,
            contents: Contents::default(),
            routines: Vec::new(),
            foreign_tables: BTreeSet::new(),
            passing_on: Vec::new(),
            is_dynamic: false,
            calls: BTreeSet::new(),
            depth: 0,
        }
    }

    pub(super) fn script(&mut self, sql: &str) {
        self.code(sql, Code::Sql, Origin::At(0));
    }

    fn code(&mut self, sql: &str, code: Code, origin: Origin) {
        if self.depth == DEPTH {
            self.found(origin.place(0), Reach::Unknown);
            return;
        }
        self.depth += 1;
        let tokens = tokens(sql);
        let executes =
            code == Code::Plpgsql && (0..tokens.len()).any(|index| is_execute(&tokens, index));
        let mut current = Current::Other;
        // For each open parenthesis, whether it has the arguments of a routine that runs text.
        let mut parentheses: Vec<bool> = Vec::new();
        let mut index = 0;
        while index < tokens.len() {
            if begins_statement(&tokens, index) {
                current = self.statement(&tokens, index, origin);
            }
            self.mention(&tokens, index, origin);
            match &tokens[index].token {
                Token::Symbol('(') => {
                    let called =
                        index.checked_sub(1).and_then(|name| mentions::call(&tokens, name));
                    parentheses
                        .push(called.is_some_and(|name| self.scripts.dynamic.contains(&name)));
                }
                Token::Symbol(')') => {
                    parentheses.pop();
                }
                Token::Text(text) => match current {
                    Current::Do => self.do_block(&tokens, index, text, origin),
                    Current::Routine => self.routine(&tokens, index, text, origin),
                    Current::Other if executes || parentheses.contains(&true) => {
                        let ends = |token: &Token| token.is_symbol(',');
                        let end = dynamic::end_of(&tokens, index, ends);
                        self.text(&dynamic::fold(&tokens[index..end]), tokens[index].start, origin);
                    }
                    Current::Raise | Current::Other => {}
                },
                _ if executes && is_execute(&tokens, index) => {
                    let ends = |token: &Token| token.is_one_of(&["INTO", "LOOP", "USING"]);
                    let end = dynamic::end_of(&tokens, index + 1, ends);
                    let folded = dynamic::fold(&tokens[index + 1..end]);
                    self.is_dynamic |= is_unknown(&folded.text);
                    self.text(&folded, tokens[index].start, origin);
                    index = end;
                    continue;
                }
                _ => {}
            }
            index += 1;
        }
        self.depth -= 1;
    }

    /// A text that is run, or may be.
    fn text(&mut self, folded: &Folded, start: usize, origin: Origin) {
        self.code(&folded.text, Code::Sql, origin.inner(folded.inside, start));
    }

    fn found(&mut self, offset: usize, reach: Reach) {
        self.contents.found.push(Found { offset, reach });
    }

    /// The statement that begins at `index`.
    fn statement(&mut self, tokens: &[Placed], index: usize, origin: Origin) -> Current {
        let statement = &tokens[index..];
        if let Verdict::Beyond(reach) = verdict(statement) {
            if reach == Reach::Roles && statement[0].token.is("CREATE") {
                self.contents.roles.extend(statement.get(2).and_then(|name| name.token.name()));
            }
            self.found(origin.place(tokens[index].start), reach);
        }
        let word = |at: usize, word| statement.get(at).is_some_and(|placed| placed.token.is(word));
        if word(0, "CREATE") {
            let replaced = if word(1, "OR") && word(2, "REPLACE") { 2 } else { 0 };
            if word(1 + replaced, "FUNCTION") || word(1 + replaced, "PROCEDURE") {
                self.begin_routine(statement, 2 + replaced);
                if let Some(reach) = unreadable(statement) {
                    self.found(origin.place(tokens[index].start), reach);
                }
                return Current::Routine;
            }
            if word(1, "SCHEMA") {
                self.schema(&statement[2..]);
            }
            if word(1, "FOREIGN") && word(2, "TABLE") {
                let at = if word(3, "IF") { 6 } else { 3 };
                self.foreign_tables.extend(last_name(statement, at));
            }
        }
        self.passes_on(statement);
        let is_foreign = (word(0, "CREATE") || word(0, "ALTER")) && word(1, "FOREIGN");
        let end = dynamic::end_of(statement, 0, |_| false);
        let runs_program = statement[..end]
            .windows(2)
            .any(|pair| pair[0].token.is("PROGRAM") && matches!(pair[1].token, Token::Text(_)));
        if is_foreign && runs_program {
            self.found(origin.place(tokens[index].start), Reach::Program);
        }
        match &statement[0].token {
            token if token.is("DO") => Current::Do,
            token if token.is("RAISE") => Current::Raise,
            _ => Current::Other,
        }
    }

    /// A statement that lets writes to one table or view reach another table: a partition, a child, or
    /// the table of a view.
    fn passes_on(&mut self, statement: &[Placed]) {
        let word = |at: usize, word| statement.get(at).is_some_and(|placed| placed.token.is(word));
        let end = dynamic::end_of(statement, 0, |_| false);
        let statement = &statement[..end];
        let all = || statement.iter().filter_map(|placed| placed.token.name()).collect();
        let position = |word| statement.iter().position(|placed| placed.token.is(word));
        if word(0, "ALTER") && (word(1, "TABLE") || word(2, "TABLE")) {
            // `attach partition`, and `inherit` the other way round.
            let inherit = position("INHERIT");
            if position("ATTACH").is_some() || inherit.is_some() {
                self.passing_on.extend(table_of(statement).map(|name| (name, all())));
                let parent = inherit.and_then(|at| last_name(statement, at + 1));
                self.passing_on.extend(parent.map(|name| (name, all())));
            }
        } else if word(0, "CREATE") {
            let parents = [position("OF").map(|of| of + 1), position("INHERITS").map(|at| at + 2)];
            for parent in parents.into_iter().flatten() {
                let parent = last_name(statement, parent);
                self.passing_on.extend(parent.map(|name| (name, all())));
            }
            let view = position("VIEW").filter(|view| *view < 5);
            let view = view.and_then(|view| last_name(statement, view + 1));
            self.passing_on.extend(view.map(|name| (name, all())));
        }
    }

    fn mention(&mut self, tokens: &[Placed], index: usize, origin: Origin) {
        let start = origin.place(tokens[index].start);
        if let Some(name) = mentions::call(tokens, index) {
            if let Some(reach) = mentions::function(&name) {
                self.found(start, reach);
            }
            self.calls.insert(name);
        }
        if let Some(reach) = mentions::write(tokens, index, &self.scripts.foreign_tables) {
            self.found(start, reach);
        }
    }

    /// `create schema`: what follows these words.
    fn schema(&mut self, rest: &[Placed]) {
        let word = |at: usize, word| rest.get(at).is_some_and(|placed| placed.token.is(word));
        let if_not_exists = word(0, "IF");
        let at = if if_not_exists { 3 } else { 0 };
        let name = if word(at, "AUTHORIZATION") {
            // Named like the role.
            let role = rest.get(at + 1).and_then(|role| role.token.name());
            role.filter(|role| {
                !matches!(role.as_str(), "current_user" | "current_role" | "session_user")
            })
        } else {
            rest.get(at).and_then(|name| name.token.name())
        };
        self.contents.schemas.insert(CreatedSchema { name, if_not_exists });
    }

    fn begin_routine(&mut self, statement: &[Placed], at: usize) {
        let Some(name) = last_name(statement, at) else { return };
        self.routines.push(Routine { name, is_dynamic: false, calls: BTreeSet::new() });
    }

    /// A string in `do`.
    fn do_block(&mut self, tokens: &[Placed], index: usize, text: &Text, origin: Origin) {
        if is_language(tokens, index) {
            return;
        }
        let start = tokens[index].start;
        let begin = (0..index).rev().find(|begin| tokens[*begin].token.is("DO")).unwrap_or(index);
        match language(&tokens[begin..]).as_deref() {
            None | Some("plpgsql") => {
                self.code(&text.text, Code::Plpgsql, origin.inner(text.inside, start));
            }
            Some("sql") => self.code(&text.text, Code::Sql, origin.inner(text.inside, start)),
            Some(language) if is_untrusted(language) => {
                let language = language.to_owned();
                self.found(origin.place(tokens[begin].start), Reach::Untrusted(language));
            }
            Some(_) => self.is_dynamic = true,
        }
    }

    /// A string in `create function` or `create procedure`; after `as`, it is the body.
    fn routine(&mut self, tokens: &[Placed], index: usize, text: &Text, origin: Origin) {
        if !index.checked_sub(1).is_some_and(|before| tokens[before].token.is("AS")) {
            return;
        }
        let begin =
            (0..index).rev().find(|begin| tokens[*begin].token.is("CREATE")).unwrap_or(index);
        let language = language(&tokens[begin..]);
        let code = match language.as_deref() {
            Some("plpgsql") => Some(Code::Plpgsql),
            Some("sql") | None => Some(Code::Sql),
            Some(_) => None,
        };
        let outer = (std::mem::take(&mut self.calls), std::mem::take(&mut self.is_dynamic));
        if let Some(code) = code {
            self.code(&text.text, code, origin.inner(text.inside, tokens[index].start));
        }
        let native = matches!(language.as_deref(), Some("c" | "internal"));
        if let Some(routine) = self.routines.last_mut() {
            routine.is_dynamic |= self.is_dynamic || (code.is_none() && !native);
            routine.calls.append(&mut self.calls);
        }
        (self.calls, self.is_dynamic) = outer;
    }
}

fn begins_statement(tokens: &[Placed], index: usize) -> bool {
    let Some(before) = index.checked_sub(1).map(|before| &tokens[before].token) else {
        return true;
    };
    let is_label = before.is_symbol('>') && index >= 2 && tokens[index - 2].token.is_symbol('>');
    before.is_symbol(';') || is_label || before.is_one_of(BEFORE_STATEMENTS)
}

/// True for the `execute` of PL/pgSQL, which runs a text.
fn is_execute(tokens: &[Placed], index: usize) -> bool {
    let next = tokens.get(index + 1).map(|placed| &placed.token);
    // Of a trigger, or a privilege.
    let other = ["FUNCTION", "PROCEDURE", "ON"];
    tokens[index].token.is("EXECUTE")
        && next.is_some_and(|next| !next.is_one_of(&other) && !next.is_symbol(','))
}

/// True if the words that decide what a text does are not constant.
fn is_unknown(text: &str) -> bool {
    let tokens = tokens(text);
    let begin = |index: &usize| begins_statement(&tokens, *index);
    (0..tokens.len()).filter(begin).any(|index| verdict(&tokens[index..]) == Verdict::Unknown)
}

/// What a function or procedure reaches whose code cannot be read.
fn unreadable(statement: &[Placed]) -> Option<Reach> {
    let language = language(statement)?;
    let end = dynamic::end_of(statement, 0, |_| false);
    let texts = statement[..end].iter().filter_map(|placed| match &placed.token {
        Token::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let is_elsewhere = |library: &str| library.contains('/') && !library.starts_with("$libdir/");
    match language.as_str() {
        untrusted if is_untrusted(untrusted) => Some(Reach::Untrusted(language)),
        // Another name for a function of the server, or of a library.
        "internal" => texts.map(mentions::function).find(Option::is_some).flatten(),
        "c" => {
            let mut texts = texts.peekable();
            let is_elsewhere = texts.peek().is_some_and(|library| is_elsewhere(library));
            let function = texts.map(mentions::function).find(Option::is_some).flatten();
            if is_elsewhere { Some(Reach::Untrusted(language)) } else { function }
        }
        _ => None,
    }
}

/// The table of an `alter table`.
fn table_of(statement: &[Placed]) -> Option<String> {
    let is = |at: usize, word| statement.get(at).is_some_and(|placed| placed.token.is(word));
    let at = statement.iter().position(|placed| placed.token.is("TABLE"))? + 1;
    let at = if is(at, "IF") { at + 2 } else { at };
    last_name(statement, if is(at, "ONLY") { at + 1 } else { at })
}

/// The last part of a name that begins at `at`.
fn last_name(tokens: &[Placed], mut at: usize) -> Option<String> {
    while tokens.get(at + 1).is_some_and(|next| next.token.is_symbol('.')) {
        at += 2;
    }
    tokens.get(at)?.token.name()
}

/// The language of the statement with which `tokens` begin.
fn language(tokens: &[Placed]) -> Option<String> {
    let end = tokens.iter().position(|placed| placed.token.is_symbol(';')).unwrap_or(tokens.len());
    let word = tokens[..end].iter().position(|placed| placed.token.is("LANGUAGE"))?;
    match &tokens.get(word + 1)?.token {
        Token::Text(text) => Some(text.text.to_lowercase()),
        token => token.name(),
    }
}

fn is_language(tokens: &[Placed], index: usize) -> bool {
    index.checked_sub(1).is_some_and(|before| tokens[before].token.is("LANGUAGE"))
}

/// Languages without limits have a name that ends so, as a rule.
fn is_untrusted(language: &str) -> bool {
    language.ends_with('u') || language == "plsh"
}
