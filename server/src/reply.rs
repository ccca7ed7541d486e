//! Answers outside GraphQL: bytes with their caching, and failures that show no internals.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use chancery_registry as registry;

use crate::held::{self, Guard};

/// How long an answer may be kept by caches.
#[derive(Clone, Copy)]
pub enum Cache {
    /// For ever: the address names the bytes.
    Immutable,
    /// Ask again each time.
    Never,
    /// Not even to ask again: the bytes may be redacted, and are then to be nowhere.
    Nowhere,
}

impl Cache {
    const fn value(self) -> &'static str {
        match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Never => "no-cache",
            Self::Nowhere => "no-store",
        }
    }
}

/// An answer of bytes.
pub fn bytes(media_type: &'static str, cache: Cache, body: impl Into<Vec<u8>>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static(cache.value())))
        .body(body.into())
}

/// An answer of many bytes, which keeps what it must until it is sent.
pub fn held(media_type: &'static str, cache: Cache, body: Vec<u8>, guard: impl Guard) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static(cache.value())))
        .body(held::body(body, guard))
}

/// An answer that stands at another address, which depends on the headers named.
pub fn see_other(address: &str, vary: &'static str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address))
        .insert_header((header::VARY, HeaderValue::from_static(vary)))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static(Cache::Never.value())))
        .finish()
}

/// Why a request was not answered, for its sender: one line of text.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing here under that address.
    #[error("not found: {0}")]
    NotFound(&'static str),
    /// The address or the body is not what it should be.
    #[error("{0}")]
    Bad(String),
    /// More bytes than this address takes.
    #[error("too large: {0}")]
    TooLarge(String),
    /// Others are served.
    #[error("too many others are served at this moment; try again in a few seconds")]
    Busy,
    /// Another process keeps the log until its lease ends.
    #[error("another process keeps this node's log at this moment; try again in a few seconds")]
    NotSequencer,
    /// The request or its answer took too long.
    #[error("the request took too long; try again in a few seconds")]
    TooSlow,
    /// The node keeps no log of its own.
    #[error("this node does not take records; publish where the log is kept")]
    ReadOnly,
    /// The archive failed. What happened is for the operator alone.
    #[error("the archive did not answer; the node's operator finds out why")]
    Internal,
}

impl From<registry::Error> for Failure {
    fn from(error: registry::Error) -> Self {
        match error {
            registry::Error::ReadOnly => Self::ReadOnly,
            registry::Error::NotSequencer => Self::NotSequencer,
            error => {
                tracing::error!(error = &error as &dyn std::error::Error, "Failed to answer a request");
                Self::Internal
            }
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::NotSequencer | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"));
        response.insert_header((header::CACHE_CONTROL, Cache::Never.value()));
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, "3"));
        }
        response.body(format!("{self}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for (error, status, again) in [
            (registry::Error::NotSequencer, 503, true),
            (registry::Error::ReadOnly, 403, false),
            (registry::Error::Invalid("nothing for strangers".to_owned()), 500, false),
        ] {
            let failure = Failure::from(error);
            assert!(!failure.to_string().contains("strangers"));
            let response = failure.error_response();
            let retry = response.headers().contains_key(header::RETRY_AFTER);
            assert_eq!((response.status().as_u16(), retry), (status, again), "{failure}");
        }
    }
}
