//! Text files as bytes: plain or gz, in large blocks of whole lines, with line numbers.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// Bytes asked for at a time. Fits the second-level cache, so that a block is parsed where it was decompressed.
const BLOCK: usize = 256 * 1024;

/// Longest line: that of a table of tens of millions of cells. A gz that unpacks to more is not of this world.
const MAX_LINE: usize = if cfg!(test) { 8 * BLOCK } else { 1 << 28 };

/// Opens a file; one that begins as gz does is decompressed, whatever its name.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut reader = BufReader::with_capacity(BLOCK, file);
    let start = reader.fill_buf().map_err(|e| Error::io(path, e))?;
    if start.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(MultiGzDecoder::new(reader)));
    }
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err(Error::parse(path, 1, "the file is UTF-16 text; save it as UTF-8"));
    }
    if start.starts_with(b"PK\x03\x04") {
        return Err(Error::format(path, "", "this is a zip or spreadsheet file; save it as CSV or tab-separated text"));
    }
    Ok(Box::new(reader))
}

/// Whole lines of a reader, block by block.
pub(crate) struct Blocks<'p, R> {
    reader: R,
    path: &'p Path,
    buffer: Vec<u8>,
    /// Start of what was not handed out yet, in `buffer`.
    start: usize,
    /// End of what was read.
    end: usize,
    finished: bool,
    /// Lines handed out so far.
    lines: u64,
}

impl<'p, R: Read> Blocks<'p, R> {
    /// Blocks of this reader; `path` is for messages only.
    pub(crate) fn new(reader: R, path: &'p Path) -> Self {
        Self { reader, path, buffer: Vec::new(), start: 0, end: 0, finished: false, lines: 0 }
    }

    /// The file, for messages.
    pub(crate) fn path(&self) -> &'p Path {
        self.path
    }

    /// Lines handed out by [`Self::next_line`], that is, the number (from 1) of the last one.
    pub(crate) fn line_number(&self) -> u64 {
        self.lines
    }

    /// The next lines, whole, each ending in `\n` (the last one too); `None` at the end.
    ///
    /// The caller counts these lines; `line_number` stays as it is.
    pub(crate) fn next_block(&mut self, line: u64) -> Result<Option<&[u8]>> {
        let mut searched = self.start;
        loop {
            if let Some(newline) = self.buffer[searched..self.end].iter().rposition(|&b| b == b'\n') {
                let from = self.start;
                self.start = searched + newline + 1;
                return Ok(Some(&self.buffer[from..self.start]));
            }
            if self.start == self.end && self.finished {
                return Ok(None);
            }
            let unfinished = self.end - self.start;
            self.read_more(line)?;
            searched = self.start + unfinished;
        }
    }

    /// The next line without its ending; `None` at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<&[u8]>> {
        let mut searched = self.start;
        loop {
            if let Some(newline) = memchr(b'\n', &self.buffer[searched..self.end]) {
                let mut line = self.start..searched + newline;
                self.start = line.end + 1;
                self.lines += 1;
                if self.lines == 1 && self.buffer[line.clone()].starts_with(b"\xef\xbb\xbf") {
                    line.start += 3;
                }
                while line.end > line.start && self.buffer[line.end - 1] == b'\r' {
                    line.end -= 1;
                }
                return Ok(Some(&self.buffer[line]));
            }
            if self.start == self.end && self.finished {
                return Ok(None);
            }
            let unfinished = self.end - self.start;
            self.read_more(self.lines)?;
            searched = self.start + unfinished;
        }
    }

    /// Moves the unfinished line to the front and fills the rest of the buffer; ends the last line if it has no ending.
    fn read_more(&mut self, line: u64) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        // A line longer than the buffer: the buffer grows with what was really read, never with what a header promises.
        if self.end > MAX_LINE {
            let message = format!("the next line is longer than {} MiB; is this text?", MAX_LINE >> 20);
            return Err(Error::parse(self.path, line + 1, message));
        }
        if self.buffer.len() < self.end + BLOCK {
            self.buffer.resize(2 * self.end + BLOCK, 0);
        }
        while !self.finished && self.end < self.buffer.len() {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.finished = true;
                    if self.end > 0 && self.buffer[self.end - 1] != b'\n' {
                        self.buffer[self.end] = b'\n';
                        self.end += 1;
                    }
                }
                Ok(n) => self.end += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(broken(self.path, line, e)),
            }
        }
        Ok(())
    }
}

/// What the decompressor says, in words.
fn broken(path: &Path, line: u64, error: std::io::Error) -> Error {
    let line = line.max(1);
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            Error::parse(path, line, "the compressed file breaks off after about this line; copy or download it again")
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidData => Error::parse(
            path,
            line,
            format!("the compressed file is damaged after about this line ({error}); copy or download it again"),
        ),
        _ => Error::io(path, error),
    }
}

/// Position of the first `byte`, eight bytes at a time.
pub(crate) fn memchr(byte: u8, haystack: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let pattern = ONES * u64::from(byte);
    let (chunks, rest) = haystack.as_chunks::<8>();
    for (i, chunk) in chunks.iter().enumerate() {
        // A zero byte is where `byte` was; the lowest marked one is exact.
        let x = u64::from_le_bytes(*chunk) ^ pattern;
        let zeros = x.wrapping_sub(ONES) & !x & HIGHS;
        if zeros != 0 {
            return Some(i * 8 + (zeros.trailing_zeros() / 8) as usize);
        }
    }
    rest.iter().position(|&b| b == byte).map(|i| chunks.len() * 8 + i)
}

/// The text of a line, or an error that says which line is not UTF-8.
pub(crate) fn utf8<'a>(bytes: &'a [u8], path: &Path, line: u64) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|e| {
        let before = bytes[..e.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() as u64;
        Error::parse(path, line + before, "not UTF-8 text; save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Hands out one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = self.0.len().min(out.len()).min(1);
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn lines(text: &[u8]) -> Vec<String> {
        let mut blocks = Blocks::new(Drip(text), Path::new("x"));
        let mut out = Vec::new();
        while let Some(line) = blocks.next_line().unwrap() {
            out.push(String::from_utf8(line.to_vec()).unwrap());
        }
        out
    }

    #[test]
    fn lines_lose_bom_and_carriage_returns_and_the_last_needs_no_ending() {
        assert_eq!(lines(b"\xef\xbb\xbfa,b\r\n\r\nc"), ["a,b", "", "c"]);
        assert_eq!(lines(b"a\n"), ["a"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_longer_than_a_block_stays_whole() {
        let long = "x".repeat(3 * BLOCK);
        let text = format!("short\n{long}\nend");
        let mut blocks = Blocks::new(text.as_bytes(), Path::new("x"));
        let mut joined = Vec::new();
        while let Some(block) = blocks.next_block(0).unwrap() {
            assert_eq!(block.last(), Some(&b'\n'));
            joined.extend_from_slice(block);
        }
        assert_eq!(joined, format!("{text}\n").into_bytes());
        assert_eq!(lines(text.as_bytes()), ["short", &long, "end"]);
    }

    #[test]
    fn a_cut_gz_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.tsv.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for i in 0..100_000u32 {
            writeln!(encoder, "{}", i.wrapping_mul(2_654_435_761)).unwrap();
        }
        let whole = encoder.finish().unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let mut blocks = Blocks::new(open(&path).unwrap(), &path);
        let error = loop {
            match blocks.next_line() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the cut went unseen"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("cut.tsv.gz, line") && error.contains("breaks off"), "{error}");
    }

    #[test]
    fn memchr_finds_the_first() {
        for n in 0..40 {
            let mut text = vec![b'a'; n];
            assert_eq!(memchr(b'\n', &text), None);
            text.extend_from_slice(b"\n\x0b\n");
            assert_eq!(memchr(b'\n', &text), Some(n));
        }
    }
}
