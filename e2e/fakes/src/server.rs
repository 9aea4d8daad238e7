//! Serves a router on loopback until its handle is dropped.
//!
//! It never listens on another address: a fake has no authentication worth the name.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// How long open requests may go on after a stop.
const GRACE: Duration = Duration::from_secs(1);

/// A running server. Dropping it ends the server: no new connections at once, open requests within a second.
#[derive(Debug)]
#[must_use = "the server ends when its handle is dropped"]
pub struct Running {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// Serves `router` on a free port of 127.0.0.1; connections are kept alive.
///
/// # Errors
/// When the machine gives no port. Must be called inside a tokio runtime.
pub async fn serve(router: Router) -> io::Result<Running> {
    serve_on(router, 0).await
}

/// As [`serve`], on this port; 0 takes a free one.
///
/// # Errors
/// When the port is taken.
pub async fn serve_on(router: Router, port: u16) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(run(listener, router, stopped));
    Ok(Running { addr, stop, task: Some(task) })
}

async fn run(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    let asked = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the handle is gone, which asks for the same.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(asked(stopped.clone()));
    let overdue = async {
        asked(stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => if let Err(error) = ended {
            tracing::warn!(%error, "a fake's server ended");
        },
        () = overdue => {}
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // It cannot fail but by a panic of a handler, which hyper has already contained.
            let _ = task.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut buffer = vec![0; 1024];
        let n = stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    }

    #[tokio::test]
    async fn a_connection_is_kept_alive_and_ends_with_the_server() {
        let running = serve(Router::new().route("/", get(async || "here"))).await.unwrap();
        assert!(running.addr().ip().is_loopback());
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        assert!(ask(&mut stream).await.ends_with("here"));
        assert!(ask(&mut stream).await.ends_with("here"), "the second request uses the same connection");

        let addr = running.addr();
        running.stop().await;
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0, "the connection is closed");
        assert!(TcpStream::connect(addr).await.is_err(), "and no new one is taken");
    }
}
