//! Randomness as an argument: the system's CSPRNG in the server, a fixed stream in vectors and tests.

use std::cell::RefCell;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

use crate::base::lock::Mutex;

/// The source failed. On Linux, the system's source never fails once the machine is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's random number generator failed")]
pub struct EntropyError;

/// A source of random bytes. Clones of a scripted source share its stream.
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
        Self(Source::System(system_random()))
    }

    /// A source of the given bytes, for vectors. It fails when they run out.
    pub fn scripted(bytes: impl IntoIterator<Item = u8>) -> Self {
        let bytes: Vec<u8> = bytes.into_iter().collect();
        Self(Source::Scripted(Arc::new(Mutex::new(bytes.into_iter()))))
    }

    /// 16 random bytes for an identifier that must be unique but is not secret. Each thread draws them from the
    /// system in larger pieces, because a draw costs about as much as the rest of a token except its signature.
    ///
    /// # Errors
    /// [`EntropyError`] when the source fails.
    pub fn identifier(&self) -> Result<[u8; 16], EntropyError> {
        match &self.0 {
            Source::System(system) => DRAWN.with_borrow_mut(|drawn| drawn.next(system)),
            Source::Scripted(_) => self.bytes(),
        }
    }

    /// `N` random bytes.
    ///
    /// # Errors
    /// [`EntropyError`] when the source fails.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System(system) => system.fill(&mut bytes).map_err(|_| EntropyError)?,
            Source::Scripted(stream) => {
                let mut stream = stream.lock();
                for byte in &mut bytes {
                    *byte = stream.next().ok_or(EntropyError)?;
                }
            }
        }
        Ok(bytes)
    }
}

/// The system's CSPRNG, for those functions of ring that accept nothing else.
#[expect(clippy::disallowed_methods, reason = "the one place that opens the system's randomness")]
pub(crate) fn system_random() -> SystemRandom {
    SystemRandom::new()
}

/// Random bytes that a thread has drawn ahead.
struct Drawn {
    bytes: [u8; 1024],
    used: usize,
}

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; 1024], used: 1024 }) };
}

impl Drawn {
    fn next(&mut self, system: &SystemRandom) -> Result<[u8; 16], EntropyError> {
        if self.used == self.bytes.len() {
            system.fill(&mut self.bytes).map_err(|_| EntropyError)?;
            self.used = 0;
        }
        let mut identifier = [0; 16];
        identifier.copy_from_slice(&self.bytes[self.used..self.used + 16]);
        self.used += 16;
        Ok(identifier)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_scripted_source_yields_its_bytes_and_then_fails() {
        let entropy = Entropy::scripted([1, 2, 3]);
        assert_eq!(entropy.bytes::<2>(), Ok([1, 2]));
        assert_eq!(entropy.clone().bytes::<2>(), Err(EntropyError));
    }

    #[test]
    fn the_system_does_not_repeat_itself() {
        assert_ne!(Entropy::system().bytes::<16>(), Entropy::system().bytes::<16>());
    }

    #[test]
    fn identifiers_drawn_ahead_do_not_repeat() {
        let entropy = Entropy::system();
        let drawn: HashSet<_> = (0..1_000).map(|_| entropy.identifier().unwrap()).collect();
        assert_eq!(drawn.len(), 1_000);
    }
}
