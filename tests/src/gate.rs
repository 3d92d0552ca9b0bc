//! A way to a server that lets so many writes pass and then keeps silent: where a run is cancelled in the middle.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The way.
pub struct Gate {
    address: SocketAddr,
    held: Arc<AtomicUsize>,
}

impl Gate {
    /// Lets `writes` requests that change something pass to the server at `url` (`http://HOST:PORT`), and holds the next.
    #[must_use]
    pub fn new(url: &str, writes: usize) -> Self {
        let server = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (left, held) = (Arc::new(AtomicUsize::new(writes)), Arc::new(AtomicUsize::new(0)));
        let holding = Arc::clone(&held);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { return };
                let (left, held) = (Arc::clone(&left), Arc::clone(&holding));
                let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(from, to, |_| true));
                thread::spawn(move || pass(client, server, |part| admit(part, &left, &held)));
            }
        });
        Self { address, held }
    }

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until a request is held; whether that came.
    #[must_use]
    pub fn waits(&self, limit: Duration) -> bool {
        let began = Instant::now();
        while self.held.load(Ordering::SeqCst) == 0 && began.elapsed() < limit {
            thread::sleep(Duration::from_millis(5));
        }
        self.held.load(Ordering::SeqCst) > 0
    }
}

/// Whether what a client sent may pass. A client sends its next request when it has the answer to the last, so that a
/// part begins where a request does.
fn admit(part: &[u8], left: &AtomicUsize, held: &AtomicUsize) -> bool {
    if !["POST ", "PUT ", "PATCH ", "DELETE "].iter().any(|method| part.starts_with(method.as_bytes())) {
        return true;
    }
    let passes = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    held.fetch_add(usize::from(!passes), Ordering::SeqCst);
    passes
}

fn pass(mut from: TcpStream, mut to: TcpStream, admit: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || !admit(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // What was held stays without an answer until the client goes.
    while from.read(&mut buffer).is_ok_and(|read| read > 0) {}
    to.shutdown(Shutdown::Both).ok();
}
