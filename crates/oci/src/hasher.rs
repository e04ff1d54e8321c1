//! Hashing of bytes that arrive piece by piece, with a state that can be put aside.

use std::fmt;

use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha512};

use crate::digest::{Algorithm, Digest};

#[cfg(test)]
mod tests;

/// Version of the saved state: the layout of sha2 0.11 behind our own header.
const STATE_VERSION: u8 = 1;

/// Length of the version and the algorithm code, in bytes.
const HEADER_LEN: usize = 2;

/// Length of the checksum at the end, in bytes.
const CHECKSUM_LEN: usize = 8;

/// Computes a [`Digest`] of bytes that arrive piece by piece.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Starts a hash over no bytes.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// The hash function in use.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Hashes the bytes that follow those hashed before.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes hashed.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => Digest::from_array(Algorithm::Sha256, state.finalize().into()),
            State::Sha512(state) => Digest::from_array(Algorithm::Sha512, state.finalize().into()),
        }
    }

    /// Writes the state, from which [`Hasher::restore`] goes on: a version, the algorithm's code, the
    /// state itself and a checksum of all that; at most 256 bytes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut saved = vec![STATE_VERSION, self.algorithm().code()];
        match &self.0 {
            State::Sha256(state) => saved.extend_from_slice(&state.serialize()),
            State::Sha512(state) => saved.extend_from_slice(&state.serialize()),
        }
        let checksum = checksum(&saved);
        saved.extend_from_slice(&checksum);
        saved
    }

    /// Reads a saved state of this algorithm; `None` when it is another's, another version's or damaged.
    ///
    /// The checksum matters: a state with a flipped bit would hash on and give a wrong digest, or
    /// overflow its own byte count.
    #[must_use]
    pub fn restore(algorithm: Algorithm, saved: &[u8]) -> Option<Self> {
        let (content, stored) = saved.split_last_chunk::<CHECKSUM_LEN>()?;
        let (header, state) = content.split_first_chunk::<HEADER_LEN>()?;
        if *header != [STATE_VERSION, algorithm.code()] || *stored != checksum(content) {
            return None;
        }
        Some(Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(deserialize(state)?),
            Algorithm::Sha512 => State::Sha512(deserialize(state)?),
        }))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({})", self.algorithm())
    }
}

/// Reads the state of one hash function, which has exactly one length.
fn deserialize<S: SerializableState>(state: &[u8]) -> Option<S> {
    let state = SerializedState::<S>::try_from(state).ok()?;
    S::deserialize(&state).ok()
}

/// The first bytes of the SHA-256 of what is saved.
fn checksum(content: &[u8]) -> [u8; CHECKSUM_LEN] {
    let hash: [u8; 32] = Sha256::digest(content).into();
    let mut sum = [0; CHECKSUM_LEN];
    sum.copy_from_slice(&hash[..CHECKSUM_LEN]);
    sum
}
