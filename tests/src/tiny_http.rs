//! A server for tests that answers every request with JSON.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The path with its query.
    pub target: String,
    /// The request line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Serves on a free loopback port until the program ends; its address.
pub fn serve(answer: impl Fn(&str, &Asked) -> (u16, Value) + Send + 'static) -> String {
    serve_with_headers(move |own, asked| {
        let (status, body) = answer(own, asked);
        (status, Vec::new(), body)
    })
}

/// The same with headers of the answer's own.
pub fn serve_with_headers(answer: impl Fn(&str, &Asked) -> (u16, Vec<(&'static str, String)>, Value) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let own = address.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Some(asked) = read(&mut stream) else { continue };
            let (status, headers, body) = answer(&own, &asked);
            let body = body.to_string();
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
            // Whoever asked may have gone.
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    address
}

pub(crate) fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").and_then(|value| value.parse::<usize>().ok()));
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                return Some(Asked { target, head, body: bytes[end + 4..].to_vec() });
            }
        }
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    }
}
