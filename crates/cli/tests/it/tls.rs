use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::stub::Ctl;

/// A server that answers every request over TLS with an empty list.
struct TlsServer {
    port: u16,
    certificate: String,
    key: String,
}

impl TlsServer {
    /// With a certificate for these names that signed itself; it may ask clients for that same certificate.
    fn serve(names: &[&str], asks_for_certificate: bool) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let parameters = CertificateParams::new(names).expect("names");
        Self::serve_with(parameters, asks_for_certificate)
    }

    fn serve_with(parameters: CertificateParams, asks_for_certificate: bool) -> Self {
        let pair = KeyPair::generate().expect("a key");
        let made = parameters.self_signed(&pair).expect("a certificate");
        let (pem, key_pem) = (made.pem(), pair.serialize_pem());
        let der = made.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()));

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = if asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(der.clone()).expect("a root");
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let config = Arc::new(builder.with_single_cert(vec![der], key).expect("a pair"));

        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
                let mut stream = StreamOwned::new(connection, stream);
                // A client that does not trust this server, or is not trusted, ends here.
                if matches!(stream.read(&mut [0; 4_096]), Ok(1..)) {
                    let answer =
                        b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]";
                    let _ = stream.write_all(answer).and_then(|()| stream.flush());
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        Self {
            port,
            certificate: pem,
            key: key_pem,
        }
    }

    /// The command with this `[profile.tls]`, the server's certificate and key beside its configuration file.
    fn run(&self, tls: &str) -> crate::stub::Ended {
        let config = format!(
            "[[profile]]\nname = \"default\"\nproduct = \"clustered\"\nhost = \"127.0.0.1\"\nport = \"{}\"\n\
             mgmt_token = \"x\"\n[profile.tls]\n{tls}\n",
            self.port
        );
        let ctl = Ctl::with_config(self.port, &config);
        ctl.file("cert.pem", &self.certificate);
        ctl.file("key.pem", &self.key);
        ctl.run(&["token", "list", "--format", "json"])
    }
}

#[test]
fn a_server_is_trusted_by_its_certificate_only() {
    let server = TlsServer::serve(&["127.0.0.1"], false);
    insta::assert_snapshot!(server.run("").text());
    let trusted = server.run("ca = \"cert.pem\"");
    assert_eq!(
        (trusted.code, trusted.stdout.as_str()),
        (0, "[]\n"),
        "{}",
        trusted.stderr
    );
    let any = server.run("insecure = true");
    assert_eq!(any.code, 0, "{}", any.stderr);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let server = TlsServer::serve(&["elsewhere.example"], false);
    let ended = server.run("ca = \"cert.pem\"");
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .stderr
            .contains("is not trusted: certificate not valid for name"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_authoritys_certificate_is_for_no_server() {
    let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("names");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let server = TlsServer::serve_with(parameters, false);
    insta::assert_snapshot!(server.run("ca = \"cert.pem\"").text());
}

#[test]
fn the_client_shows_its_own_certificate() {
    let server = TlsServer::serve(&["127.0.0.1"], true);
    assert_eq!(server.run("ca = \"cert.pem\"").code, 1);
    let shown = server.run("ca = \"cert.pem\"\ncert = \"cert.pem\"\nkey = \"key.pem\"");
    assert_eq!(shown.code, 0, "{}", shown.stderr);
}

#[test]
fn certificate_and_key_must_belong_together() {
    let mut server = TlsServer::serve(&["127.0.0.1"], false);
    server.key = TlsServer::serve(&["127.0.0.1"], false).key;
    let pair = "cert = \"cert.pem\"\nkey = \"key.pem\"";
    insta::assert_snapshot!(server.run(pair).text());
    server.key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned();
    insta::assert_snapshot!(server.run(pair).text());
}
