//! The frames of a request body, up to a limit.

use std::pin::Pin;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;

use super::{BodyError, ReceiveError};

/// Takes data from a body.
pub(super) struct Intake<'a, B> {
    body: Pin<&'a mut B>,
    limit: Option<u64>,
    taken: u64,
}

/// What comes next from a body.
pub(super) enum Next {
    /// Some bytes, at least one.
    Data(Bytes),
    /// Nothing more, for this reason.
    End(Result<(), ReceiveError>),
}

impl<'a, B> Intake<'a, B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    pub(super) fn new(body: Pin<&'a mut B>, limit: Option<u64>) -> Self {
        Self { body, limit, taken: 0 }
    }

    /// Waits for the next bytes. Cancelling loses none.
    pub(super) async fn next(&mut self) -> Next {
        // A body that announces too much is refused before any of it is read.
        if let Some(refused) = self.exceeded_by(self.body.size_hint().lower()) {
            return Next::End(Err(refused));
        }
        loop {
            let frame = match self.body.frame().await {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Next::End(Err(ReceiveError::Client(error.into()))),
                None => return Next::End(Ok(())),
            };
            match frame.into_data() {
                Ok(bytes) if !bytes.is_empty() => return self.admit(bytes),
                // Trailers mean nothing in a push.
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn admit(&mut self, bytes: Bytes) -> Next {
        if let Some(refused) = self.exceeded_by(bytes.len() as u64) {
            return Next::End(Err(refused));
        }
        self.taken += bytes.len() as u64;
        Next::Data(bytes)
    }

    fn exceeded_by(&self, more: u64) -> Option<ReceiveError> {
        let limit = self.limit?;
        let exceeded = self.taken.saturating_add(more) > limit;
        exceeded.then_some(ReceiveError::TooLarge { limit })
    }

    /// Whether the body is known to have no more.
    pub(super) fn is_over(&self) -> bool {
        self.body.is_end_stream()
    }
}
