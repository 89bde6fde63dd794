//! A throwaway authority, and a listener that shows its certificate.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Failure;

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Result<Self, Failure> {
        let mut params = CertificateParams::new(vec![])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// A listener with one certificate for these names.
    pub async fn listen(&self, names: &[&str]) -> Result<OverTls, Failure> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer)?.der().clone();
        let private = PrivateKeyDer::try_from(key.serialize_der())?;
        let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], private)?;
        // As every edge does: over HTTP/1.1 a probe shakes hands for each question that it asks beside others.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let inner = TcpListener::bind("127.0.0.1:0").await?;
        let address = inner.local_addr()?;
        let (ready, accepted) = mpsc::channel(64);
        tokio::spawn(shake_hands(inner, TlsAcceptor::from(Arc::new(config)), ready));
        Ok(OverTls { accepted, address })
    }
}

/// Handshakes beside each other: one slow client must not hold up the rest.
async fn shake_hands(inner: TcpListener, acceptor: TlsAcceptor, ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    while let Ok((stream, from)) = inner.accept().await {
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = ready.send((stream, from)).await;
            }
        });
    }
}

pub struct OverTls {
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    pub address: SocketAddr,
}

impl Listener for OverTls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}
