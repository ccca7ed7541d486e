//! The life of the server: listen, answer, end what began, stop.

use std::net::SocketAddr;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use chancery_registry::{Clock, Registry};
use tokio::task::JoinHandle;

use crate::limits::{CONNECTIONS_MAX, HEAD_TIME_MAX, KEEP_ALIVE, SHUTDOWN_SECONDS, WORKERS};
use crate::state::State;
use crate::{Config, Error, Tls, headers, route, tls};

/// A server that answers until [`Server::shutdown`].
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    running: JoinHandle<std::io::Result<()>>,
}

/// Whether this server itself speaks TLS.
pub struct Secured(pub bool);

impl Server {
    /// Starts to answer. Needs a Tokio runtime, which carries the server until it is shut down.
    ///
    /// # Errors
    /// When plain HTTP would leave the machine, the address cannot be had, or TLS has no certificate.
    pub async fn start(config: Config, registry: Registry, clock: Clock) -> Result<Self, Error> {
        let address = config.http;
        if config.tls.is_none() && !config.behind_proxy && !address.ip().is_loopback() {
            return Err(Error::PlainHttp(address));
        }
        let secured = Data::new(Secured(config.tls.is_some()));
        let state = Data::new(State::new(registry, clock, &config));
        let app = move || {
            App::new()
                .app_data(state.clone())
                .app_data(secured.clone())
                .configure(route::all)
                .wrap(Compress::default())
                .wrap(from_fn(headers::add))
                .wrap(from_fn(counted))
        };
        let server = HttpServer::new(app)
            .workers(WORKERS)
            .max_connections(CONNECTIONS_MAX)
            .client_request_timeout(HEAD_TIME_MAX)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .disable_signals();
        let server = match config.tls {
            Some(files) => server.bind_rustls_0_23(address, read(files).await?),
            None => server.bind(address),
        };
        let server = server.map_err(|source| Error::Listen { address, source })?;
        let address = server.addrs().first().copied().unwrap_or(address);
        let server = server.run();
        let handle = server.handle();
        let running = tokio::spawn(server);
        tracing::info!(server.address = %address, "Listening");
        Ok(Self { address, handle, running })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new requests, ends those that began, and stops.
    pub async fn shutdown(self) {
        self.handle.stop(true).await;
        match self.running.await {
            Ok(Ok(())) => tracing::info!("The server has stopped"),
            Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "The server failed"),
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "The server broke off"),
        }
    }
}

/// Reads certificate and key away from the threads that answer.
async fn read(files: Tls) -> Result<rustls::ServerConfig, Error> {
    let read = tokio::task::spawn_blocking(move || tls::config(&files)).await;
    read.expect("reading two files does not panic")
}

/// Counts a request.
async fn counted(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<Data<State>>().cloned();
    let begun = Instant::now();
    let answer = next.call(request).await?;
    if let Some(state) = state {
        let seconds = begun.elapsed().as_secs_f64();
        state.metrics.answered(answer.request().match_pattern(), answer.status(), seconds);
    }
    Ok(answer)
}
