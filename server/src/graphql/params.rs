//! The parameters of a request, read strictly (GraphQL over HTTP §5).

use async_graphql::Variables;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{ErrorCode, Fault};

/// What a request asks.
#[derive(Debug)]
pub struct Params {
    /// The document.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Variables,
}

/// The members of a request. Members that we do not know mean nothing to us; null means absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    #[expect(dead_code, reason = "read only to refuse what is not an object")]
    extensions: Option<Map<String, Value>>,
}

/// The parameters of a GET: the maps are JSON inside the query string.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl Params {
    /// Reads the body of a POST.
    ///
    /// # Errors
    /// When it is not a JSON object with parameters of the right types; a list of them is a batch,
    /// which this endpoint does not take.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return Err(bad("batches are not taken; send one operation in a request"));
        }
        Self::new(
            serde_json::from_slice(bytes).map_err(|error| bad(format!("the body is no GraphQL request: {error}")))?,
        )
    }

    /// Reads the query string of a GET.
    ///
    /// # Errors
    /// As [`Params::from_json`].
    pub fn from_query_string(text: &str) -> Result<Self, Fault> {
        let unreadable = |error| bad(format!("the query string is no GraphQL request: {error}"));
        let given = actix_web::web::Query::<QueryString>::from_query(text).map_err(unreadable)?.into_inner();
        Self::new(Body {
            query: given.query,
            operation_name: given.operation_name,
            variables: map("variables", given.variables.as_deref())?,
            extensions: map("extensions", given.extensions.as_deref())?,
        })
    }

    fn new(body: Body) -> Result<Self, Fault> {
        let query = body.query.ok_or_else(|| bad("the parameter query is missing"))?;
        let variables = body.variables.map(Value::Object).map(Variables::from_json).unwrap_or_default();
        Ok(Self { query, operation_name: body.operation_name, variables })
    }
}

fn map(name: &str, text: Option<&str>) -> Result<Option<Map<String, Value>>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    serde_json::from_str(text).map_err(|error| bad(format!("the parameter {name} is no JSON object: {error}")))
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_their_types_or_are_refused() {
        for (body, fits) in [
            (r#"{"query":"{ a }"}"#, true),
            (r#"{"query":"{ a }","operationName":null,"variables":null,"extensions":null,"more":1}"#, true),
            (r#"{"query":"{ a }","operationName":"A","variables":{"a":[1]},"extensions":{}}"#, true),
            ("", false),
            ("null", false),
            ("{}", false),
            (r#"{"query":1}"#, false),
            (r#"{"query":"{ a }","variables":[]}"#, false),
            (r#"{"query":"{ a }","variables":"{}"}"#, false),
            (r#"{"query":"{ a }","extensions":0}"#, false),
            (r#"{"query":"{ a }","operationName":{}}"#, false),
            (r#" [{"query":"{ a }"}]"#, false),
        ] {
            assert_eq!(Params::from_json(body.as_bytes()).is_ok(), fits, "{body}");
        }
    }

    #[test]
    fn a_query_string_holds_json_in_its_maps() {
        let params = Params::from_query_string("query=%7B%20a%20%7D&variables=%7B%22a%22%3A1%7D").unwrap();
        assert_eq!((params.query.as_str(), params.variables.len()), ("{ a }", 1));
        for text in ["", "query=%7B%7D&variables=x", "query=%7B%7D&variables=%5B%5D", "query=%7B%7D&extensions=1"] {
            assert!(Params::from_query_string(text).is_err(), "{text}");
        }
    }
}
