//! TLS between a node and PostgreSQL: who is trusted, and what is said of whom not.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rescind_catalog::{Catalog, Error, Location};
use rescind_domain::NodeId;
use rescind_testkit::Postgres;

/// An authority, and the file that holds its certificate.
struct Trusted {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Trusted {
    fn make(directory: &Path, name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let file = directory.join(format!("{name}.pem"));
        let certificate = parameters.self_signed(&key).expect("a certificate");
        fs::write(&file, certificate.pem()).expect("writable");
        let issuer = Issuer::new(parameters, key);
        Self { issuer, file }
    }

    /// A server with a certificate for this host.
    fn server(&self, host: &str) -> Postgres {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        Postgres::start_with_tls(&certificate.pem(), &key.serialize_pem()).expect("a PostgreSQL server")
    }
}

async fn open(url: &str, sslmode: &str, root: &Path) -> Result<Catalog, Error> {
    let url = format!("{url}?sslmode={sslmode}&sslrootcert={}", root.display());
    Catalog::open(&Location::Postgres(url)).await
}

/// What is said instead of opening it.
async fn refusal(url: &str, sslmode: &str, root: &Path) -> String {
    match open(url, sslmode, root).await {
        Ok(_) => panic!("opened with {sslmode} at {url}"),
        Err(error @ Error::Server(_)) => error.to_string(),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_trusted_is_told_apart_from_who_is_not_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let (ours, theirs) = (
        Trusted::make(directory.path(), "ours"),
        Trusted::make(directory.path(), "theirs"),
    );
    let server = ours.server("127.0.0.1");
    let catalog = open(&server.url(), "verify-full", &ours.file)
        .await
        .expect("opens");
    assert!(catalog.is_empty().await.expect("read"));
    // Signals have a connection of their own.
    let signals = catalog.signals(NodeId::from_bytes([7; 16])).await.expect("heard");
    let clear = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl
         JOIN pg_stat_activity USING (pid) WHERE pid <> pg_backend_pid() AND datname = 'rescind'";
    let counted = server.ask(clear).expect("asked");
    assert!(!counted.starts_with("0|") && counted.ends_with("|0"), "{counted}");
    drop(signals);
    catalog.close().await;

    let missing = directory.path().join("missing.pem");
    let elsewhere = server.url().replace("127.0.0.1", "localhost");
    let plain = Postgres::start().expect("a PostgreSQL server");
    let refusals = [
        (
            "another authority",
            refusal(&server.url(), "verify-full", &theirs.file).await,
        ),
        (
            "another host",
            refusal(&elsewhere, "verify-full", &ours.file).await,
        ),
        ("no file", refusal(&server.url(), "verify-full", &missing).await),
        ("no TLS", refusal(&plain.url(), "verify-full", &ours.file).await),
    ];
    let told = refusals.map(|(what, said)| format!("{what}: {said}\n")).concat();
    insta::assert_snapshot!(told.replace(directory.path().to_str().expect("UTF-8"), "[directory]"));
    let unnamed = open(&elsewhere, "verify-ca", &ours.file).await;
    unnamed.expect("the host is not compared").close().await;
}

#[tokio::test]
async fn what_is_no_postgresql_is_said_to_be_none() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let answering = async {
        loop {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    };
    let url = format!("postgres://ada:hush@127.0.0.1:{port}/rescind");
    let location = Location::Postgres(url);
    let opened = tokio::select! {
        opened = Catalog::open(&location) => opened,
        never = answering => never,
    };
    insta::assert_snapshot!(opened.expect_err("refused").to_string());
}
