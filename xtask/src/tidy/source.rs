//! Rust files as rules see them: the names that a file imports from each module, and its uses of `unsafe`.
//!
//! It reads syntax, not meaning. Imports of tests are left out: tests may import anything. A name that occurs only in a
//! macro's arguments is found if it is a path that begins with `crate`.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemMod, ItemUse, Macro, UseTree, Visibility,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{Finding, tree::Tree};

/// A name that a file imports from elsewhere in its package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The path from the root of the package, without `crate`.
    pub path: Vec<String>,
    /// The line number.
    pub line: usize,
}

/// A Rust file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file, from the root of the repository.
    pub path: String,
    /// The folder of its package's sources, such as `harness/src/`; empty outside of one.
    pub package: String,
    /// The module, from the root of the package.
    pub module: Vec<String>,
    /// Whether the file is only compiled for tests.
    pub is_test: bool,
    /// The imports from elsewhere in its package, outside of tests.
    pub imports: Vec<Import>,
    /// The re-exports: by their name here, the path of the item.
    pub passes_on: BTreeMap<String, Vec<String>>,
    /// The lines with `unsafe`.
    pub unsafe_lines: Vec<usize>,
}

/// All Rust files of a tree.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
    /// Files that do not parse.
    pub broken: Vec<Finding>,
}

impl Sources {
    /// Iterates over the files.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.all.iter()
    }
}

/// Reads the Rust files of `tree`.
pub fn sources(tree: &Tree) -> Sources {
    let mut sources = Sources::default();
    let mut test_modules: Vec<(String, Vec<String>)> = Vec::new();
    for (path, text) in tree.ending(".rs") {
        match syn::parse_file(text) {
            Err(error) => {
                let line = error.span().start().line;
                sources
                    .broken
                    .push(Finding::new("syntax", path, line, error.to_string()));
            }
            Ok(file) => {
                let (package, module) = place(path);
                let mut reader = Reader::new(path, &package, module);
                reader.children = children(&file.items);
                reader.visit_file(&file);
                reader.source.unsafe_lines = unsafe_lines(text);
                reader.source.imports.sort();
                reader.source.imports.dedup();
                test_modules.extend(reader.test_modules.into_iter().map(|m| (package.clone(), m)));
                sources.all.push(reader.source);
            }
        }
    }
    for source in &mut sources.all {
        let below_a_test = test_modules
            .iter()
            .any(|(package, module)| *package == source.package && source.module.starts_with(module));
        source.is_test = below_a_test || source.package.is_empty();
        if source.is_test {
            source.imports.clear();
        }
    }
    sources
}

/// Returns the package and the module of the file at `path`.
fn place(path: &str) -> (String, Vec<String>) {
    let Some(at) = path
        .find("src/")
        .filter(|at| *at == 0 || path[..*at].ends_with('/'))
    else {
        return (String::new(), Vec::new());
    };
    let (package, inside) = path.split_at(at + "src/".len());
    let mut module: Vec<String> = inside
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if module.last().is_some_and(|last| last == "mod")
        || (module.len() == 1 && (module[0] == "lib" || module[0] == "main"))
    {
        module.pop();
    }
    (package.to_owned(), module)
}

/// Returns the modules that `items` declare.
fn children(items: &[Item]) -> Vec<String> {
    let declared = items.iter().filter_map(|item| match item {
        Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    });
    declared.collect()
}

/// Walks the syntax tree of a file.
struct Reader {
    source: Source,
    /// The modules that the file declares.
    children: Vec<String>,
    /// Modules in other files that are declared for tests only.
    test_modules: Vec<Vec<String>>,
    /// The module in which the walk is.
    here: Vec<String>,
}

impl Reader {
    fn new(path: &str, package: &str, module: Vec<String>) -> Self {
        Self {
            here: module.clone(),
            children: Vec::new(),
            test_modules: Vec::new(),
            source: Source {
                path: path.to_owned(),
                package: package.to_owned(),
                module,
                is_test: false,
                imports: Vec::new(),
                passes_on: BTreeMap::new(),
                unsafe_lines: Vec::new(),
            },
        }
    }

    /// Resolves `names` from the root of the package, if they lead to a module of it.
    fn absolute(&self, names: &[String]) -> Option<Vec<String>> {
        let (mut base, mut rest) = match names.first()?.as_str() {
            "crate" => (Vec::new(), &names[1..]),
            "self" => (self.here.clone(), &names[1..]),
            "super" => (self.here.clone(), names),
            _ => return None,
        };
        while rest.first().is_some_and(|name| name == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// Same as [`Reader::absolute`], but a name of a declared module may come first.
    fn used(&self, names: &[String]) -> Option<Vec<String>> {
        let first = names.first()?;
        if self.here == self.source.module && self.children.contains(first) {
            return Some([self.here.clone(), names.to_vec()].concat());
        }
        self.absolute(names)
    }

    fn take(&mut self, path: Vec<String>, line: usize) {
        self.source.imports.push(Import { path, line });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_for_tests) {
            visit::visit_item(self, item);
        } else if let Item::Mod(module) = item
            && module.content.is_none()
        {
            let inner = [self.here.clone(), vec![module.ident.to_string()]].concat();
            self.test_modules.push(inner);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.here.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.here.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (names, alias) in leaves {
            let Some(path) = self.used(&names) else { continue };
            match item.vis {
                Visibility::Inherited => self.take(path, item.span().start().line),
                // A re-export is not a use here.
                _ => drop(self.source.passes_on.insert(alias, path)),
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let Some(absolute) = self.absolute(&names)
            && names.len() > 1
        {
            self.take(absolute, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        for (path, line) in paths_of_the_package(call.tokens.clone()) {
            self.take(path, line);
        }
        visit::visit_macro(self, call);
    }
}

/// Collects the names that a use declaration imports, each with its name here.
fn flatten(tree: &UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    let mut leaf = |last: Option<String>, alias: String| {
        leaves.push((before.iter().cloned().chain(last).collect(), alias));
    };
    match tree {
        UseTree::Name(name) if name.ident == "self" => {
            let alias = before.last().cloned().unwrap_or_default();
            leaf(None, alias);
        }
        UseTree::Name(name) => leaf(Some(name.ident.to_string()), name.ident.to_string()),
        UseTree::Rename(name) => leaf(Some(name.ident.to_string()), name.rename.to_string()),
        UseTree::Glob(_) => leaf(None, "*".to_owned()),
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, leaves)),
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Reports whether the attribute is `#[cfg(test)]` or `#[test]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    let is_cfg_test = || {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|p| p.is_ident("test"))
    };
    attribute.path().is_ident("test") || is_cfg_test()
}

/// Returns the paths that begin with `crate` in the arguments of a macro.
fn paths_of_the_package(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let mut open: Option<(Vec<String>, usize)> = None;
    for token in tokens {
        match token {
            TokenTree::Ident(name) if name == "crate" => open = Some((Vec::new(), name.span().start().line)),
            TokenTree::Ident(name) => open.iter_mut().for_each(|(path, _)| path.push(name.to_string())),
            TokenTree::Punct(mark) if mark.as_char() == ':' => {}
            other => {
                found.extend(open.take());
                if let TokenTree::Group(group) = other {
                    found.extend(paths_of_the_package(group.stream()));
                }
            }
        }
    }
    found.extend(open);
    found
}

/// Returns the lines of the word `unsafe` outside of comments and strings.
fn unsafe_lines(text: &str) -> Vec<usize> {
    fn walk(tokens: TokenStream, lines: &mut Vec<usize>) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) if name == "unsafe" => lines.push(name.span().start().line),
                TokenTree::Group(group) => walk(group.stream(), lines),
                _ => {}
            }
        }
    }
    let mut lines = Vec::new();
    // A file that is not Rust has been reported by then.
    walk(text.parse().unwrap_or_default(), &mut lines);
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(path: &str, code: &str) -> Vec<String> {
        let all = sources(&Tree::of(&[(path, code)])).all;
        all[0].imports.iter().map(|i| i.path.join("::")).collect()
    }

    #[test]
    fn names_are_found_wherever_a_file_takes_them() {
        let code = "//! Doc\nmod child;\nuse crate::{a::A, b::{self, c::*}};\nuse super::d::D as E;\nuse child::F;\n\
                    use std::fmt;\nfn f() { crate::g::g(); println!(\"{}\", crate::h::H); self::i::I }\n";
        let found = imports("p/src/x/mod.rs", code);
        let wanted = [
            "a::A",
            "b",
            "b::c",
            "d::D",
            "g::g",
            "h::H",
            "x::child::F",
            "x::i::I",
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn tests_may_take_what_they_want_and_what_is_passed_on_is_not_taken() {
        let code = "//! Doc\npub use crate::a::A as B;\n#[cfg(test)]\nmod tests { use crate::up::Up; }\n";
        assert_eq!(imports("p/src/x.rs", code), [""; 0]);
        let source = &sources(&Tree::of(&[("p/src/x.rs", code)])).all[0];
        assert_eq!(source.passes_on["B"], ["a", "A"]);
        let tree = Tree::of(&[
            ("p/src/x.rs", "//! Doc\n#[cfg(test)]\nmod tests;\n"),
            ("p/src/x/tests.rs", "//! Doc\nuse crate::up::Up;\n"),
        ]);
        assert!(sources(&tree).iter().all(|s| s.imports.is_empty()));
    }

    #[test]
    fn a_file_that_is_no_rust_is_a_finding() {
        let tree = Tree::of(&[("p/src/x.rs", "//! Doc\nfn {\n")]);
        let broken = sources(&tree).broken;
        assert_eq!((broken[0].rule, broken[0].line), ("syntax", 2));
    }
}
