//! A process that is stopped in the middle: after so many changes nothing is sent any more.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use chartflow_core::port::transport::{Method, Request, Response, Transport, TransportError};

/// How far a run may go. Shared by everything that changes the world on its behalf.
#[derive(Debug, Default)]
pub struct Brakes {
    left: Mutex<Option<u32>>,
    changes: Mutex<u32>,
}

impl Brakes {
    /// Never stops.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Arc::default()
    }

    /// Stops after this many changes.
    #[must_use]
    pub fn after(changes: u32) -> Arc<Self> {
        Arc::new(Self { left: Mutex::new(Some(changes)), changes: Mutex::default() })
    }

    /// How many changes were made.
    #[must_use]
    pub fn changes(&self) -> u32 {
        *self.changes.lock().unwrap()
    }

    /// Whether something may still be sent; a change is taken off the account.
    #[must_use]
    pub fn allow(&self, change: bool) -> bool {
        let mut left = self.left.lock().unwrap();
        if *left == Some(0) {
            return false;
        }
        if change {
            *self.changes.lock().unwrap() += 1;
            *left = left.map(|left| left - 1);
        }
        true
    }
}

/// A transport with brakes. Each request lets other tasks go first, so that two runs joined in one task interleave.
pub struct Braked<T> {
    inner: T,
    brakes: Arc<Brakes>,
}

impl<T> Braked<T> {
    /// Puts brakes on a transport.
    pub fn new(inner: T, brakes: Arc<Brakes>) -> Self {
        Self { inner, brakes }
    }
}

#[async_trait]
impl<T: Transport> Transport for Braked<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        tokio::task::yield_now().await;
        if !self.brakes.allow(request.method != Method::Get) {
            return Err(TransportError::Stopped { method: request.method.as_str(), target: request.target });
        }
        self.inner.send(request).await
    }
}
