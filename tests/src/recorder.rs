//! A way to a server that keeps what was asked of it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::tiny_http::{Asked, read};

/// The way.
pub struct Recorder {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Recorder {
    /// Passes everything on to the server at `url` (`http://HOST:PORT`).
    #[must_use]
    pub fn new(url: &str) -> Self {
        let server = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, kept) = (server.clone(), Arc::clone(&kept));
                std::thread::spawn(move || pass(client, &server, &kept));
            }
        });
        Self { url: own, asked }
    }

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was asked so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Asked {
    /// The method and the path.
    #[must_use]
    pub fn line(&self) -> String {
        self.head.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// The token that came with it.
    #[must_use]
    pub fn token(&self) -> &str {
        let line = self.head.lines().find(|line| line.to_lowercase().starts_with("authorization: bearer ")).unwrap_or_default();
        line.get("authorization: bearer ".len()..).unwrap_or_default()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// One request and its answer; the connection ends with it.
fn pass(mut client: TcpStream, server: &str, kept: &Mutex<Vec<Asked>>) {
    let Some(asked) = read(&mut client) else { return };
    kept.lock().unwrap().push(asked.clone());
    let Ok(mut server) = TcpStream::connect(server) else { return };
    let head: String = asked.head.lines().filter(|line| !line.to_lowercase().starts_with("connection:")).map(|line| format!("{line}\r\n")).collect();
    let request = [format!("{head}connection: close\r\n\r\n").into_bytes(), asked.body].concat();
    let mut answer = Vec::new();
    // Whoever asked may have gone.
    if server.write_all(&request).is_ok() && server.read_to_end(&mut answer).is_ok() {
        drop(client.write_all(&answer));
    }
}
