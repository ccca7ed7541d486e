//! What a node says while it runs: one line for each event, on standard error.
//!
//! `RUST_LOG` chooses what is said; with `--json` each line is a JSON object.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is said when `RUST_LOG` asks for nothing: our own rooms, and of libraries only complaints. Not
/// of strangers' malformed requests, which anyone could write into the log.
const DEFAULT_FILTER: &str = "warn,chancery=info,chancery_registry=info,chancery_p2p_node=info,chancery_server=info,\
                              actix_http::h1::dispatcher=off";

/// Begins to write events; once for each process.
///
/// # Errors
/// When `RUST_LOG` cannot be read, or events are written already.
pub fn start(json: bool) -> anyhow::Result<()> {
    let filter = filter(std::env::var("RUST_LOG").ok().as_deref())?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|text| text.is_empty());
        builder.with_ansi(color).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("failed to begin writing events: {error}"))
}

fn filter(asked: Option<&str>) -> anyhow::Result<EnvFilter> {
    let text = asked.filter(|text| !text.trim().is_empty()).unwrap_or(DEFAULT_FILTER);
    EnvFilter::builder().parse(text).map_err(|error| anyhow::anyhow!("failed to read RUST_LOG={text}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_filter_is_the_usual_one_and_a_wrong_one_is_refused() {
        assert_eq!(filter(Some(" ")).unwrap().to_string(), filter(None).unwrap().to_string());
        assert!(filter(Some("chancery=debug")).is_ok());
        assert!(filter(Some("chancery=loud")).is_err());
    }
}
