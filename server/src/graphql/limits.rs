//! What one request may ask for, counted by our own reading before anything is executed.
//!
//! The executor has limits of its own (depth, complexity); its checks walk fragments without memory,
//! so a small document can keep them busy for hours. Here every step is counted and the walk ends
//! at the bound.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};

use super::error::{ErrorCode, Fault};
use super::lexer;

/// The text of a document, in bytes. The largest of the portal's has 6 KiB; what is long, such as an
/// envelope, goes into a variable.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 10;

/// Names, numbers, strings and punctuators of a document. `GraphiQL`'s introspection has 450.
pub const TOKENS_MAX: usize = 2000;

/// Nesting of brackets: deeper text is an attack on the parser's stack.
pub const NESTING_MAX: usize = 32;

/// Directives of a document.
pub const DIRECTIVES_MAX: usize = 10;

/// Aliases of a document.
pub const ALIASES_MAX: usize = 30;

/// Operations of a document.
pub const OPERATIONS_MAX: usize = 10;

/// Fields of the root in one operation, fragments resolved.
pub const ROOT_FIELDS_MAX: usize = 20;

/// Nesting of fields.
pub const DEPTH_MAX: usize = 12;

/// Nesting of fields under `__schema` and `__type`: the usual introspection has 15.
pub const INTROSPECTION_DEPTH_MAX: usize = 20;

/// Selections of all operations, every fragment counted where it is used.
pub const SELECTIONS_MAX: usize = 1000;

/// The size of an introspection, in fields answered; the usual one is estimated at 80,000.
pub const INTROSPECTION_COST_MAX: usize = 150_000;

/// The cost of an operation: one for a field, more for a heavy one, times the page size of lists.
pub const COMPLEXITY_MAX: usize = 2000;

/// What a request may have answered of what signers wrote: envelopes, payloads, proofs and names, in bytes.
/// Sixteen of the largest envelopes.
pub const ANSWER_BYTES_MAX: usize = 16 << 20;

/// From here on an answer counts as large, in bytes: any one record's envelope or payload is not.
pub const LARGE_BYTES: usize = 1 << 20;

/// Questions of a request to the archive. Complexity estimates before; this counts.
pub const QUESTIONS_MAX: usize = 1000;

/// Items of one page.
pub const PAGE_MAX: i32 = 100;

/// Items of one page when none is asked for.
pub const PAGE_DEFAULT: i32 = 20;

/// Reads a document that stays within every bound of this file, complexity apart.
///
/// # Errors
/// When it is not GraphQL, or asks for too much; the message names the bound.
pub fn read(text: &str) -> Result<ExecutableDocument, Fault> {
    if text.len() > DOCUMENT_BYTES_MAX {
        let message = format!("the document is longer than {DOCUMENT_BYTES_MAX} bytes; put long values into variables");
        return Err(Fault::new(ErrorCode::TooLarge, message));
    }
    let tokens = lexer::scan(text)?;
    bound("tokens", tokens.count, TOKENS_MAX)?;
    bound("levels of brackets", tokens.nesting, NESTING_MAX)?;
    bound("directives", tokens.directives, DIRECTIVES_MAX)?;
    let document = parse_query(text).map_err(|error| Fault::new(ErrorCode::ParseFailed, error.to_string()))?;
    check(&document)?;
    Ok(document)
}

/// The kind of the operation that will be executed; none when there is no such operation.
pub fn operation_type(document: &ExecutableDocument, name: Option<&str>) -> Option<OperationType> {
    let mut operations = document.operations.iter();
    let operation = match name {
        Some(name) => operations.find(|(given, _)| given.is_some_and(|given| given.as_str() == name)),
        None => operations.next(),
    };
    operation.map(|(_, operation)| operation.node.ty)
}

fn bound(what: &str, count: usize, max: usize) -> Result<(), Fault> {
    if count <= max {
        return Ok(());
    }
    let message = format!("the document has more than {max} {what}; ask for less at a time");
    Err(Fault::new(ErrorCode::LimitExceeded, message))
}

fn check(document: &ExecutableDocument) -> Result<(), Fault> {
    bound("operations", document.operations.iter().count(), OPERATIONS_MAX)?;
    let operations = || document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = || document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    bound("aliases", operations().chain(fragments()).map(aliases).sum(), ALIASES_MAX)?;
    let mut walk = Walk { document, selections: 0, root_fields: 0, spreads: 0 };
    for root in operations() {
        walk.root_fields = 0;
        let cost = walk.selection_set(root, 0, None)?;
        bound("fields to answer in its introspection", cost, INTROSPECTION_COST_MAX)?;
    }
    // Fragments that no operation uses are still validated by the executor.
    for fragment in document.fragments.values() {
        walk.selections = 0;
        let introspects = fragment.node.type_condition.node.on.node.starts_with("__");
        walk.selection_set(&fragment.node.selection_set.node, 1, introspects.then_some(1))?;
    }
    Ok(())
}

/// The aliases written in a selection set. Its nesting is bounded by the tokens'.
fn aliases(set: &SelectionSet) -> usize {
    let own = |selection: &Selection| match selection {
        Selection::Field(field) => usize::from(field.node.alias.is_some()) + aliases(&field.node.selection_set.node),
        Selection::InlineFragment(inline) => aliases(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(|selection| own(&selection.node)).sum()
}

/// A walk that resolves fragments and stops at the first bound.
struct Walk<'a> {
    document: &'a ExecutableDocument,
    selections: usize,
    root_fields: usize,
    spreads: usize,
}

impl Walk<'_> {
    /// Walks the fields at `depth` below the root. `introspection` is where the introspection began.
    /// Answers the number of introspected fields that the answer may have.
    fn selection_set(
        &mut self,
        set: &SelectionSet,
        depth: usize,
        introspection: Option<usize>,
    ) -> Result<usize, Fault> {
        let mut cost = 0_usize;
        for selection in &set.items {
            self.selections += 1;
            bound("selections", self.selections, SELECTIONS_MAX)?;
            let below = match &selection.node {
                Selection::Field(field) => {
                    let (name, depth) = (field.node.name.node.as_str(), depth + 1);
                    let begun = introspection.or_else(|| matches!(name, "__schema" | "__type").then_some(depth));
                    if begun.is_some() {
                        bound("levels of introspection", depth, INTROSPECTION_DEPTH_MAX)?;
                    } else {
                        bound("levels of fields", depth, DEPTH_MAX)?;
                    }
                    if depth == 1 {
                        self.root_fields += 1;
                        bound("fields of the root", self.root_fields, ROOT_FIELDS_MAX)?;
                    }
                    let below = self.selection_set(&field.node.selection_set.node, depth, begun)?;
                    if begun.is_some() { 1 + below.saturating_mul(items_of(name)) } else { below }
                }
                Selection::InlineFragment(inline) => {
                    self.selection_set(&inline.node.selection_set.node, depth, introspection)?
                }
                Selection::FragmentSpread(spread) => {
                    match self.document.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) => self.spread(&fragment.node.selection_set.node, depth, introspection)?,
                        None => 0,
                    }
                }
            };
            cost = cost.saturating_add(below);
        }
        Ok(cost)
    }

    /// Walks a fragment where it is used. A fragment within itself ends at the bound.
    fn spread(&mut self, set: &SelectionSet, depth: usize, introspection: Option<usize>) -> Result<usize, Fault> {
        self.spreads += 1;
        bound("levels of fragments", self.spreads, NESTING_MAX)?;
        let cost = self.selection_set(set, depth, introspection)?;
        self.spreads -= 1;
        Ok(cost)
    }
}

/// How many items a list of the introspection has in this schema, roughly.
fn items_of(field: &str) -> usize {
    match field {
        "types" => 64,
        "fields" | "possibleTypes" => 8,
        "enumValues" | "inputFields" | "directives" => 4,
        "args" | "interfaces" => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (ErrorCode, String) {
        let fault = read(text).expect_err(&text.chars().take(80).collect::<String>());
        (fault.code, fault.message)
    }

    #[test]
    fn each_bound_is_met_and_not_passed() {
        let fields = |count: usize| format!("{{ a {{ {} }} }}", "b ".repeat(count));
        let roots = |count: usize| format!("{{ {} }}", "a ".repeat(count));
        let deep = |count: usize| format!("{}x{}", "{ a ".repeat(count - 1) + "{ ", " }".repeat(count));
        let aliases = |count: usize| {
            format!("{{ x {{ {} }} }}", (0..count).map(|i| format!("a{i}: b ")).collect::<Vec<_>>().concat())
        };
        let directives = |count: usize| format!("{{ a {} }}", "@skip(if: false) ".repeat(count));
        let lists = |count: usize| format!("{{ a(b: {}{}) }}", "[".repeat(count), "]".repeat(count));
        let operations = |count: usize| (0..count).map(|i| format!("query Q{i} {{ a }} ")).collect::<Vec<_>>().concat();
        for (text, limit) in [
            (&fields as &dyn Fn(usize) -> String, SELECTIONS_MAX - 1),
            (&roots, ROOT_FIELDS_MAX),
            (&deep, DEPTH_MAX),
            (&aliases, ALIASES_MAX),
            (&directives, DIRECTIVES_MAX),
            (&lists, NESTING_MAX - 2),
            (&operations, OPERATIONS_MAX),
        ] {
            assert!(read(&text(limit)).is_ok(), "{}", text(limit));
            assert_eq!(refused(&text(limit + 1)).0, ErrorCode::LimitExceeded);
        }
    }

    #[test]
    fn fragments_that_multiply_end_at_the_bound() {
        let mut bomb = "{ ...f0 }".to_owned();
        for i in 0..30 {
            let next = i + 1;
            bomb = format!("{bomb} fragment f{i} on Query {{ ...f{next} ...f{next} }}");
        }
        assert_eq!(refused(&(bomb.clone() + " fragment f30 on Query { a }")).0, ErrorCode::LimitExceeded);
        let unused = bomb.replacen("...f0", "a", 1) + " fragment f30 on Query { a }";
        assert_eq!(refused(&unused).0, ErrorCode::LimitExceeded);
        assert_eq!(
            refused("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }").0,
            ErrorCode::LimitExceeded
        );
        assert_eq!(refused("{ a } fragment a on Query { ...a }").0, ErrorCode::LimitExceeded);
    }

    #[test]
    fn the_usual_introspection_is_answered_and_a_loop_is_not() {
        let type_ref = format!("{}{}", "kind name ofType { ".repeat(9) + "kind name", " }".repeat(9));
        let usual = format!(
            "query I {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
                subscriptionType {{ name kind }} types {{ ...T }}
                directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...V }} }} }} }}
             fragment T on __Type {{ kind name description specifiedByURL isOneOf
                fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...V }}
                    type {{ ...R }} isDeprecated deprecationReason }}
                inputFields(includeDeprecated: true) {{ ...V }} interfaces {{ ...R }}
                enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
                possibleTypes {{ ...R }} }}
             fragment V on __InputValue {{ name description type {{ ...R }} defaultValue isDeprecated deprecationReason }}
             fragment R on __Type {{ {type_ref} }}"
        );
        assert!(read(&usual).is_ok(), "{:?}", read(&usual));
        let looped =
            "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
        assert_eq!(refused(looped).0, ErrorCode::LimitExceeded);
        let twice =
            format!("{usual} query J {{ a: __schema {{ types {{ ...T }} }} b: __schema {{ types {{ ...T }} }} }}");
        assert_eq!(refused(&twice).0, ErrorCode::LimitExceeded);
    }

    #[test]
    fn what_is_no_document_is_refused_without_a_deep_stack() {
        assert_eq!(refused("").0, ErrorCode::ParseFailed);
        assert_eq!(refused("{").0, ErrorCode::ParseFailed);
        assert_eq!(refused(&"[".repeat(60_000)).0, ErrorCode::LimitExceeded);
        assert_eq!(refused(&"{a".repeat(900)).0, ErrorCode::LimitExceeded);
        assert_eq!(refused(&"a ".repeat(2001)).0, ErrorCode::LimitExceeded);
        assert_eq!(refused(&format!("{{ a(b: \"{}\") }}", "x".repeat(70_000))).0, ErrorCode::TooLarge);
    }
}
