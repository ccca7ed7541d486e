//! Errors of the API, each with a code from a closed list.
//!
//! A refusal of a record is no error: it is a status in the payload of `publish`.

use async_graphql::{Enum, ErrorExtensionValues, ServerError, Value};
use chancery_registry as registry;

/// Every code that `extensions.code` of an error may have. The list only grows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
pub enum ErrorCode {
    /// The request is not one of GraphQL over HTTP: the body is not JSON, or a parameter has the wrong type.
    BadRequest,
    /// No media type that the request accepts can be written; accept `application/json`.
    NotAcceptable,
    /// The body is not `application/json` in UTF-8, or it is compressed.
    UnsupportedMediaType,
    /// The method cannot carry this operation; the `Allow` header says which can.
    MethodNotAllowed,
    /// The body or the document is larger than this endpoint takes.
    TooLarge,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document does not fit this schema.
    ValidationFailed,
    /// The document asks for more than one request may; ask for less at a time.
    LimitExceeded,
    /// An argument is outside its range; the message says which.
    BadInput,
    /// The request took too long; ask for less at a time. A record that was published may be in the log or not:
    /// publish it again, it is entered once.
    Timeout,
    /// Too many others are served, or another process keeps the log, at this moment; try again in a few seconds.
    Busy,
    /// This node does not take records; publish at the node that keeps the nation's log.
    ReadOnly,
    /// The node failed; its operator finds the cause in its log.
    Internal,
}

impl ErrorCode {
    /// The code as `extensions.code` carries it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::TooLarge => "TOO_LARGE",
            Self::ParseFailed => "PARSE_FAILED",
            Self::ValidationFailed => "VALIDATION_FAILED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::BadInput => "BAD_INPUT",
            Self::Timeout => "TIMEOUT",
            Self::Busy => "BUSY",
            Self::ReadOnly => "READ_ONLY",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error before or instead of execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
}

impl Fault {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<Fault> for ServerError {
    fn from(fault: Fault) -> Self {
        let mut error = Self::new(fault.message, None);
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", fault.code.as_str());
        error.extensions = Some(extensions);
        error
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        let mut error = Self::new(fault.message);
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", fault.code.as_str());
        error.extensions = Some(extensions);
        error
    }
}

/// The code of an error that was answered; errors of the executor get theirs here.
pub fn with_code(mut error: ServerError) -> ServerError {
    let has_code = error.extensions.as_ref().is_some_and(|it| matches!(it.get("code"), Some(Value::String(_))));
    if has_code {
        return error;
    }
    let code = match error.message.as_str() {
        // The two texts by which async-graphql says so.
        "Query is too complex." | "Query is nested too deep." => ErrorCode::LimitExceeded,
        // How async-graphql begins to say that a scalar refused its value.
        text if text.starts_with("Failed to parse ") => ErrorCode::BadInput,
        _ if error.path.is_empty() => ErrorCode::ValidationFailed,
        _ => ErrorCode::Internal,
    };
    error.extensions.get_or_insert_default().set("code", code.as_str());
    error
}

/// Turns a failure of the archive into an error that shows no internals; the cause is logged, once.
pub trait OrFault<T> {
    /// The value, or the error to answer.
    fn or_fault(self) -> async_graphql::Result<T>;
}

impl<T> OrFault<T> for registry::Result<T> {
    fn or_fault(self) -> async_graphql::Result<T> {
        self.map_err(|error| match error {
            registry::Error::ReadOnly => {
                Fault::new(ErrorCode::ReadOnly, "this node does not take records; publish where the log is kept").into()
            }
            registry::Error::NotSequencer => {
                let message = "another process keeps this node's log at this moment; publish again in a few seconds";
                Fault::new(ErrorCode::Busy, message).into()
            }
            registry::Error::Doubtful(doubt) => {
                tracing::error!(error = &doubt as &dyn std::error::Error, "Nothing is signed");
                let message = "this node signs nothing now, since more of its log may be known elsewhere than here; its operator finds out why at /health";
                Fault::new(ErrorCode::ReadOnly, message).into()
            }
            error => {
                tracing::error!(error = &error as &dyn std::error::Error, "Failed to answer a GraphQL field");
                Fault::new(ErrorCode::Internal, "the archive did not answer; the node's operator finds out why").into()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for (error, code) in [
            (registry::Error::NotSequencer, "BUSY"),
            (registry::Error::ReadOnly, "READ_ONLY"),
            (registry::Doubt::Unmarked.into(), "READ_ONLY"),
            (registry::Error::Invalid("nothing for strangers".to_owned()), "INTERNAL"),
        ] {
            let error = Err::<(), _>(error).or_fault().unwrap_err();
            assert!(!error.message.contains("strangers"));
            let extensions = error.extensions.unwrap();
            assert_eq!(extensions.get("code"), Some(&Value::from(code)), "{}", error.message);
        }
    }
}
