//! The text of derived `Debug` implementations as a tree, so that states and messages of any protocol can be shown field by field and exported
//! without a second set of derives.

/// A value, as its `Debug` text has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A number, a name without fields, or other text, such as `3.1` (a ballot) or `c1#2 k5=7` (a command).
    Word(String),
    /// A text in quotes.
    Quoted(String),
    /// `[a, b]` or `(a, b)`.
    List(Vec<Tree>),
    /// `{a, b}`; an empty map cannot be told from an empty set.
    Set(Vec<Tree>),
    /// `{key: value}`.
    Map(Vec<(Tree, Tree)>),
    /// `Name { field: value }`.
    Structure(String, Vec<(String, Tree)>),
    /// `Name(a, b)`.
    Tuple(String, Vec<Tree>),
}

impl Tree {
    /// Reads a text. `None`: something is left over, so it is of another form.
    pub fn parse(text: &str) -> Option<Tree> {
        let mut parser = Parser { rest: text };
        let value = parser.value();
        parser.skip_space();
        parser.rest.is_empty().then_some(value)
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Whether `token` comes next; it is passed over.
    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Passes over the comma after an element. Text that is no element is passed over as well, so that parsing ends.
    fn end_element(&mut self, before: usize) {
        if !self.take(",") && self.rest.len() == before {
            let mut chars = self.rest.chars();
            chars.next();
            self.rest = chars.as_str();
        }
    }

    fn value(&mut self) -> Tree {
        self.skip_space();
        match self.rest.chars().next() {
            Some('"') => self.quoted(),
            Some('[') => Tree::List(self.list("[", "]")),
            Some('(') => Tree::List(self.list("(", ")")),
            Some('{') => self.braces(),
            _ => self.word(),
        }
    }

    /// A string in quotes. `Debug` escapes as Rust does.
    fn quoted(&mut self) -> Tree {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Tree::Quoted(text);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, other)) => text.push(other),
                    None => break,
                },
                char => text.push(char),
            }
        }
        self.rest = "";
        Tree::Quoted(text)
    }

    fn list(&mut self, open: &str, close: &str) -> Vec<Tree> {
        self.take(open);
        let mut values = Vec::new();
        while !self.rest.is_empty() && !self.take(close) {
            let before = self.rest.len();
            values.push(self.value());
            self.end_element(before);
        }
        values
    }

    /// A map or a set.
    fn braces(&mut self) -> Tree {
        self.take("{");
        let (mut map, mut set) = (Vec::new(), Vec::new());
        while !self.rest.is_empty() && !self.take("}") {
            let before = self.rest.len();
            let key = self.key();
            if self.take(":") {
                map.push((key, self.value()));
            } else {
                set.push(key);
            }
            self.end_element(before);
        }
        if map.is_empty() { Tree::Set(set) } else { Tree::Map(map) }
    }

    /// A key of a map, or an element of a set: up to a colon, unless it is a structure itself.
    fn key(&mut self) -> Tree {
        self.skip_space();
        if self.rest.starts_with(['"', '[', '(', '{']) {
            return self.value();
        }
        let end = self.rest.find([':', ',', '}', '(', '{']).unwrap_or(self.rest.len());
        if self.rest[end..].starts_with(['(', '{']) {
            return self.value();
        }
        let (key, rest) = self.rest.split_at(end);
        self.rest = rest;
        Tree::Word(key.trim().to_owned())
    }

    /// A name with or without fields, a number, or other text up to the end of the structure it is in.
    fn word(&mut self) -> Tree {
        let end = self.rest.find([',', '}', ']', ')', '(', '{']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let name = word.trim();
        let is_name = name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        self.rest = rest;
        match rest.chars().next() {
            Some('{') if is_name => Tree::Structure(name.to_owned(), self.fields()),
            Some('(') if is_name => Tree::Tuple(name.to_owned(), self.list("(", ")")),
            _ => Tree::Word(name.to_owned()),
        }
    }

    fn fields(&mut self) -> Vec<(String, Tree)> {
        self.take("{");
        let mut fields = Vec::new();
        while !self.rest.is_empty() && !self.take("}") {
            // What `finish_non_exhaustive` writes.
            if self.take("..") {
                continue;
            }
            let before = self.rest.len();
            let end = self.rest.find(':').unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest;
            self.take(":");
            fields.push((field.trim().to_owned(), self.value()));
            self.end_element(before);
        }
        fields
    }
}
