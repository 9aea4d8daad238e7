//! As much of a kubelet as forwarding a port takes: a Node, a Pod on it that is said to run, and the server that the API server
//! sends `portforward` to. Behind the pod's port is a server of this machine.
//!
//! It must never be taken for more: no container runs, and nothing but this one port is forwarded.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use futures::stream::SplitSink;
use futures::{SinkExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// The protocol in which a kubelet forwards ports over a websocket: the first byte of each message names the channel.
const PROTOCOL: &str = "v4.channel.k8s.io";
/// The channel of a port's data. (The next one, 1, is for what went wrong with it.)
const DATA: u8 = 0;

/// What is behind each pod's port, by the pod's name.
type Behind = BTreeMap<String, SocketAddr>;

/// A node and its kubelet; it ends with this value.
pub struct Kubelet {
    task: JoinHandle<()>,
}

impl Kubelet {
    /// Pods of this namespace that run under `account` and have `labels`; behind `port` of each is a server of this machine.
    ///
    /// # Errors
    /// When the API server takes no Node or Pod, or TLS cannot be set up.
    pub async fn start(
        client: &Client,
        namespace: &str,
        account: &str,
        labels: &BTreeMap<&str, &str>,
        port: u16,
        behind: &[(&str, SocketAddr)],
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        register(client, listener.local_addr()?.port()).await?;
        for (name, _) in behind {
            run_pod(client, namespace, account, name, labels).await?;
        }
        let behind = behind.iter().map(|(name, address)| ((*name).to_owned(), *address)).collect();
        let prefix = format!("/portForward/{namespace}/");
        let acceptor = acceptor()?;
        let task = tokio::spawn(serve(listener, acceptor, prefix, port, Arc::new(behind)));
        Ok(Self { task })
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The name of the one node.
const NODE: &str = "loopback";

async fn register(client: &Client, port: u16) -> Result<()> {
    let api: Api<Node> = Api::all(client.clone());
    let node = serde_json::from_value(json!({"metadata": {"name": NODE}}))?;
    api.create(&PostParams::default(), &node).await.context("a Node")?;
    let status = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }});
    api.patch_status(NODE, &PatchParams::default(), &Patch::Merge(status))
        .await
        .context("a Node's status")?;
    Ok(())
}

async fn run_pod(
    client: &Client,
    namespace: &str,
    account: &str,
    name: &str,
    labels: &BTreeMap<&str, &str>,
) -> Result<()> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let pod = serde_json::from_value(json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "nodeName": NODE, "serviceAccountName": account, "automountServiceAccountToken": false,
            "containers": [{"name": "rollcall", "image": "rollcall"}],
        },
    }))?;
    api.create(&PostParams::default(), &pod).await.with_context(|| format!("Pod {name}"))?;
    let status = json!({"status": {"phase": "Running"}});
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

/// The API server does not verify a kubelet's certificate unless it is told an authority.
fn acceptor() -> Result<TlsAcceptor> {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(issued.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, prefix: String, port: u16, behind: Arc<Behind>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, prefix, behind) = (acceptor.clone(), prefix.clone(), Arc::clone(&behind));
        tokio::spawn(async move {
            let forwarded = forward(acceptor, stream, &prefix, port, &behind).await;
            if let Err(error) = forwarded {
                tracing::warn!(error = format!("{error:#}"), "a port was not forwarded");
            }
        });
    }
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn forward(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    prefix: &str,
    port: u16,
    behind: &Behind,
) -> Result<()> {
    let stream = acceptor.accept(stream).await?;
    let mut asked = String::new();
    // The shape of a handshake's callback is tungstenite's.
    #[allow(clippy::result_large_err)]
    let agree = |request: &Request, mut answer: Response| -> Result<Response, ErrorResponse> {
        asked = request.uri().to_string();
        answer.headers_mut().insert("sec-websocket-protocol", http::HeaderValue::from_static(PROTOCOL));
        Ok(answer)
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, agree).await?;
    let (path, query) = asked.split_once('?').unwrap_or((&asked, ""));
    ensure!(query == format!("port={port}"), "expected port={port}, found {query:?}");
    let pod = path.strip_prefix(prefix).context("another path than a pod's of this namespace")?;
    let address = behind.get(pod).with_context(|| format!("there is no pod {pod}"))?;
    begin(socket, port, *address).await
}

/// Each channel begins with the port that it belongs to.
async fn begin(mut socket: Socket, port: u16, address: SocketAddr) -> Result<()> {
    let [low, high] = port.to_le_bytes();
    for channel in [DATA, DATA + 1] {
        socket.send(Message::binary(vec![channel, low, high])).await?;
    }
    let (mut sink, mut messages) = socket.split();
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => {
            let mut trouble = vec![DATA + 1];
            trouble.extend(error.to_string().into_bytes());
            sink.send(Message::binary(trouble)).await?;
            return Ok(sink.close().await?);
        }
    };
    let (from_server, mut to_server) = stream.into_split();
    let answering = answer(from_server, sink);
    let asking = async {
        while let Some(Ok(message)) = messages.next().await {
            if let Message::Binary(bytes) = message
                && let Some((&DATA, data)) = bytes.split_first()
            {
                to_server.write_all(data).await?;
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = answering => done,
        done = asking => done,
    }
}

async fn answer(
    mut from_server: tokio::net::tcp::OwnedReadHalf,
    mut sink: SplitSink<Socket, Message>,
) -> Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from_server.read(&mut buffer).await?;
        if read == 0 {
            return Ok(sink.close().await?);
        }
        let mut message = vec![DATA];
        message.extend(buffer.iter().take(read));
        sink.send(Message::binary(message)).await?;
    }
}
