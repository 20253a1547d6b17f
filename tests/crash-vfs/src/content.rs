//! The bytes of one file, in chunks that images share until one of them writes.
//!
//! A suite makes thousands of images that differ in a few writes: sharing keeps an image at the price of its difference, and the digest
//! of a chunk is worked out once however many images hold it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

const CHUNK_BYTES: usize = 4096;

#[derive(Clone)]
struct Chunk {
    bytes: [u8; CHUNK_BYTES],
    digest: OnceLock<u64>,
}

impl Chunk {
    /// Every hole of every file is this one chunk.
    fn zeroes() -> Arc<Self> {
        static ZEROES: OnceLock<Arc<Chunk>> = OnceLock::new();
        Arc::clone(ZEROES.get_or_init(|| {
            Arc::new(Self {
                bytes: [0; CHUNK_BYTES],
                digest: OnceLock::new(),
            })
        }))
    }

    fn digest(&self) -> u64 {
        *self.digest.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            hasher.write(&self.bytes);
            hasher.finish()
        })
    }
}

/// Invariant: bytes of the last chunk beyond `len` are zero, so that equal files have equal digests and a file grows with zeroes.
#[derive(Clone, Default)]
pub(crate) struct Content {
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

impl Content {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        content.write(0, bytes);
        content
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Fills what it can of `out` and says how many bytes those were.
    pub(crate) fn read(&self, offset: usize, out: &mut [u8]) -> usize {
        let available = self.len.saturating_sub(offset).min(out.len());
        let mut done = 0;
        while done < available {
            let (chunk, start) = Self::place(offset + done);
            let step = (CHUNK_BYTES - start).min(available - done);
            out[done..done + step].copy_from_slice(&self.chunks[chunk].bytes[start..start + step]);
            done += step;
        }
        available
    }

    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        self.read(0, &mut bytes);
        bytes
    }

    pub(crate) fn write(&mut self, offset: usize, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.grow(offset + data.len());
        let mut done = 0;
        while done < data.len() {
            let (chunk, start) = Self::place(offset + done);
            let step = (CHUNK_BYTES - start).min(data.len() - done);
            self.edit(chunk)[start..start + step].copy_from_slice(&data[done..done + step]);
            done += step;
        }
    }

    pub(crate) fn truncate(&mut self, size: usize) {
        if size >= self.len {
            self.grow(size);
            return;
        }
        self.chunks.truncate(size.div_ceil(CHUNK_BYTES));
        let (last, tail) = Self::place(size);
        if tail > 0 {
            self.edit(last)[tail..].fill(0);
        }
        self.len = size;
    }

    pub(crate) fn digest(&self, hasher: &mut impl Hasher) {
        self.len.hash(hasher);
        for chunk in &self.chunks {
            hasher.write_u64(chunk.digest());
        }
    }

    fn grow(&mut self, len: usize) {
        if len > self.len {
            self.chunks.resize_with(len.div_ceil(CHUNK_BYTES), Chunk::zeroes);
            self.len = len;
        }
    }

    fn edit(&mut self, chunk: usize) -> &mut [u8; CHUNK_BYTES] {
        let chunk = Arc::make_mut(&mut self.chunks[chunk]);
        chunk.digest = OnceLock::new();
        &mut chunk.bytes
    }

    fn place(offset: usize) -> (usize, usize) {
        (offset / CHUNK_BYTES, offset % CHUNK_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(content: &Content) -> u64 {
        let mut hasher = DefaultHasher::new();
        content.digest(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn behaves_as_a_plain_byte_vector_would() {
        let mut random = crate::random::Random::new(11);
        let mut content = Content::default();
        let mut model: Vec<u8> = Vec::new();
        for round in 0..2_000_u32 {
            let offset = random.below(20_000);
            if random.below(5) == 0 {
                content.truncate(offset);
                model.resize(offset, 0);
            } else {
                let data = vec![round.to_le_bytes()[0]; random.below(9_000)];
                content.write(offset, &data);
                if !data.is_empty() {
                    model.resize(model.len().max(offset + data.len()), 0);
                    model[offset..offset + data.len()].copy_from_slice(&data);
                }
            }
            assert_eq!(content.to_vec(), model, "round {round}");
        }
        assert_eq!(digest(&content), digest(&Content::from_bytes(&model)));
    }

    #[test]
    fn a_copy_is_not_changed_by_writes_to_its_source() {
        let mut source = Content::from_bytes(&[1; 10_000]);
        let copy = source.clone();
        let before = digest(&copy);
        source.write(5_000, &[2]);
        source.truncate(6_000);
        assert_eq!(copy.to_vec(), vec![1; 10_000]);
        assert_eq!(digest(&copy), before);
        assert_ne!(digest(&source), before);
    }

    #[test]
    fn a_read_past_the_end_is_short() {
        let content = Content::from_bytes(&[7; 10]);
        let mut out = [9; 8];
        assert_eq!(content.read(6, &mut out), 4);
        assert_eq!(out, [7, 7, 7, 7, 9, 9, 9, 9]);
        assert_eq!(content.read(10, &mut out), 0);
        assert_eq!(content.read(99, &mut out), 0);
    }
}
