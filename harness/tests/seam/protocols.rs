//! Protocols of other crates over the simulated sockets: WebSocket and TLS.

use std::{error::Error, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use sleet::{
    app::net::{TcpListener, TcpStream},
    world::{self, Ending},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, ServerName},
    },
};
use tokio_tungstenite::tungstenite::Message;

use super::{panics, steps, three_hosts};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

async fn echo_over_websocket() -> Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut socket = tokio_tungstenite::accept_async(stream).await?;
            while let Some(message) = socket.next().await {
                let message = message?;
                if message.is_text() {
                    socket.send(message).await?;
                }
            }
            Result::Ok(())
        });
    }
}

async fn talk_over_websocket() -> Result<usize> {
    let stream = TcpStream::connect(("server", 80)).await?;
    let (mut socket, _) = tokio_tungstenite::client_async("ws://server/", stream).await?;
    let mut heard = 0;
    for n in 0..20 {
        let text = Message::text(format!("message {n}"));
        socket.send(text.clone()).await?;
        heard += usize::from(socket.next().await.ok_or("it ended")?? == text);
    }
    socket.close(None).await?;
    Ok(heard)
}

fn websocket(seed: u64) -> Ending {
    let run = world::run(three_hosts(seed), |sim| async move {
        sim.host("server").spawn("server", echo_over_websocket());
        let talks = ["alice", "bob"].map(|name| sim.host(name).spawn("client", talk_over_websocket()));
        for talk in talks {
            let heard = talk.await.expect("it ends").expect("it works");
            sim.step("heard", heard.to_string());
        }
    });
    run.expect("the run takes place")
}

#[test]
fn a_websocket_echoes() {
    let ending = websocket(1);
    assert_eq!(panics(&ending), Vec::<&str>::new());
    assert_eq!(steps(&ending), ["heard: 20", "heard: 20"]);
    assert_eq!(ending.trace.digest, websocket(1).trace.digest);
}

async fn greet_over_tls(acceptor: TlsAcceptor) -> Result<()> {
    let listener = TcpListener::bind("server:443").await?;
    let (stream, _) = listener.accept().await?;
    let mut stream = acceptor.accept(stream).await?;
    let mut name = [0; 5];
    stream.read_exact(&mut name).await?;
    stream.write_all(b"hello ").await?;
    stream.write_all(&name).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn ask_over_tls(connector: TlsConnector) -> Result<String> {
    let stream = TcpStream::connect("server:443").await?;
    let mut stream = connector.connect(ServerName::try_from("server")?, stream).await?;
    stream.write_all(b"alice").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

/// A certificate of its own for each run: its key is drawn from the entropy of the run.
fn both_ends() -> Result<(TlsAcceptor, TlsConnector)> {
    let made = rcgen::generate_simple_self_signed(["server".to_owned()])?;
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.key_pair.serialize_der())?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let provider = Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((Arc::new(server).into(), Arc::new(client).into()))
}

fn tls(seed: u64) -> Ending {
    let run = world::run(three_hosts(seed), |sim| async move {
        let (acceptor, connector) = both_ends().expect("they can be made");
        let server = sim.host("server").spawn("server", greet_over_tls(acceptor));
        let heard = sim.host("alice").spawn("client", ask_over_tls(connector)).await;
        sim.step("heard", heard.expect("it ends").expect("it works"));
        server.await.expect("it ends").expect("it works");
    });
    run.expect("the run takes place")
}

#[test]
fn tls_greets() {
    let ending = tls(1);
    assert_eq!(panics(&ending), Vec::<&str>::new());
    assert_eq!(steps(&ending), ["heard: hello alice"]);
    assert_eq!(ending.trace.digest, tls(1).trace.digest);
    assert_ne!(ending.trace.digest, tls(2).trace.digest, "another key is drawn");
}
