//! Randomness as an argument: the system's CSPRNG in the server, a fixed stream in vectors and tests.

use std::sync::{Arc, Mutex, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

/// The source had no randomness to give. On Linux that does not happen once the machine is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's random number generator failed")]
pub struct EntropyError;

/// A source of random bytes. Clones of a scripted one share its stream.
#[derive(Clone, Debug)]
pub struct Entropy(Source);

#[derive(Clone, Debug)]
enum Source {
    System(SystemRandom),
    Scripted(Arc<Mutex<std::vec::IntoIter<u8>>>),
}

impl Entropy {
    /// The system's CSPRNG.
    pub fn system() -> Self {
        Self(Source::System(SystemRandom::new()))
    }

    /// Bytes written down beforehand, for vectors; it fails when they run out.
    pub fn scripted(bytes: impl IntoIterator<Item = u8>) -> Self {
        let bytes: Vec<u8> = bytes.into_iter().collect();
        Self(Source::Scripted(Arc::new(Mutex::new(bytes.into_iter()))))
    }

    /// `N` random bytes.
    ///
    /// # Errors
    /// [`EntropyError`] when the source has none.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System(system) => system.fill(&mut bytes).map_err(|_| EntropyError)?,
            Source::Scripted(stream) => {
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                for byte in &mut bytes {
                    *byte = stream.next().ok_or(EntropyError)?;
                }
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripted_source_says_its_bytes_and_then_fails() {
        let entropy = Entropy::scripted([1, 2, 3]);
        assert_eq!(entropy.bytes::<2>(), Ok([1, 2]));
        assert_eq!(entropy.clone().bytes::<2>(), Err(EntropyError));
    }

    #[test]
    fn the_system_does_not_repeat_itself() {
        assert_ne!(Entropy::system().bytes::<16>(), Entropy::system().bytes::<16>());
    }
}
