//! Events as lines of JSON: the canonical form, which is hashed and kept.
//!
//! Nothing here decides what a line says; that is how an event is declared. It only writes quickly: a line has some forty pieces, most
//! of a few bytes.

use std::io;

use super::Event;

/// Lines that have been written.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    // What has been written, and room behind it.
    bytes: Vec<u8>,
    end: usize,
}

impl Lines {
    /// Writes the line of `event` behind the others.
    pub(super) fn add(&mut self, event: &Event) {
        serde_json::to_writer(&mut *self, event).expect("events are plain data");
        self.put(b"\n");
    }

    /// Returns the lines, each with its end.
    pub(super) fn written(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// Forgets the lines, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.end = 0;
    }

    /// Returns the lines as text.
    pub(super) fn into_text(mut self) -> String {
        self.bytes.truncate(self.end);
        String::from_utf8(self.bytes).expect("JSON is UTF-8")
    }

    // Part of whoever writes a piece: as calls of `Vec::extend_from_slice`, the pieces took more than half of what a line took
    // (docs/performance.md).
    #[inline(always)]
    fn put(&mut self, piece: &[u8]) {
        let end = self.end + piece.len();
        if end > self.bytes.len() {
            self.make_room(piece.len());
        }
        match piece {
            // A quote, a comma, a brace.
            [byte] => self.bytes[self.end] = *byte,
            piece => self.bytes[self.end..end].copy_from_slice(piece),
        }
        self.end = end;
    }

    #[cold]
    fn make_room(&mut self, wanted: usize) {
        const LEAST: usize = 4 * 1_024;
        self.bytes
            .resize((2 * self.end).max(self.end + wanted).max(LEAST), 0);
    }
}

impl io::Write for Lines {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.put(piece);
        Ok(piece.len())
    }

    #[inline(always)]
    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        self.put(piece);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
