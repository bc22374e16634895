//! Checkpoints of `check` in files: written now and then, and taken up by the next call with the same arguments.
//!
//! A file has two lines (which program wrote it, and what is explored), then the checkpoint in the format of the crate `postcard`, then a checksum of all that.

use crate::Stop;
use crc32fast::Hasher;
use quorumscope::judge::explore::{Checkpoint, Unfit};
use quorumscope::universe::search::Search;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between two checkpoints.
const EVERY: Duration = Duration::from_secs(300);

/// Most bytes of each of the two lines.
const LINE: u64 = 64_000;

/// Bytes of the checksum.
const SUM: u64 = 4;

/// Where checkpoints of a search go.
pub struct Checkpoints {
    file: PathBuf,
    /// What is explored, in one line.
    search: String,
    last: Instant,
}

impl Checkpoints {
    /// Goes on from the file, if it is there. `search` says all that makes a difference to what is explored.
    pub fn begin(file: &Path, search: String, into: &mut Search) -> Result<Checkpoints, Stop> {
        match File::open(file) {
            Ok(opened) => {
                read(opened, &search, into)
                    .map_err(|why| Stop::Input(format!("--checkpoint: {}: {why}", file.display())))?;
                eprintln!("quorumscope: goes on from {}, with {} states", file.display(), into.states());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Stop::Input(format!("--checkpoint: {}: cannot be read: {error}", file.display())));
            }
        }
        Ok(Checkpoints { file: file.to_path_buf(), search, last: Instant::now() })
    }

    /// Writes one if it is time.
    pub fn tick(&mut self, search: &Search) -> Result<(), Stop> {
        if self.last.elapsed() < EVERY {
            return Ok(());
        }
        self.write(search)
    }

    /// Writes one, unless there is nothing left to look at. Whenever it is interrupted, the file is the former one or the new one.
    pub fn write(&mut self, search: &Search) -> Result<(), Stop> {
        self.last = Instant::now();
        let Some(checkpoint) = search.checkpoint() else { return Ok(()) };
        let mut name = self.file.file_name().unwrap_or_default().to_os_string();
        name.push(".new");
        let new = self.file.with_file_name(name);
        let written = File::create(&new).and_then(|file| {
            let mut out = BufWriter::new(Summed { file, sum: Hasher::new() });
            writeln!(out, "{}\n{}", program(), self.search)?;
            postcard::to_io(&checkpoint, &mut out).map_err(io::Error::other)?;
            let Summed { mut file, sum } = out.into_inner()?;
            file.write_all(&sum.finalize().to_le_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &self.file)
        });
        written.map_err(|error| {
            // What could be written of it is of no use to anybody.
            let _ = std::fs::remove_file(&new);
            Stop::File(format!("--checkpoint: {}: cannot be written: {error}", self.file.display()))
        })
    }
}

fn program() -> String {
    format!("quorumscope check {}", env!("CARGO_PKG_VERSION"))
}

fn read(file: File, search: &str, into: &mut Search) -> Result<(), String> {
    let damaged = || "is damaged, or no checkpoint: take another file, or remove it and begin anew".to_owned();
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let mut from = BufReader::new(file);
    let size = checked(&mut from).map_err(unreadable)?.ok_or_else(damaged)?;
    from.rewind().map_err(unreadable)?;
    let mut from = from.take(size);
    let mut line = || -> Result<String, String> {
        let mut bytes = Vec::new();
        from.by_ref().take(LINE).read_until(b'\n', &mut bytes).map_err(unreadable)?;
        String::from_utf8(bytes).map(|line| line.trim_end().to_owned()).map_err(|_| damaged())
    };
    let (wrote, of) = (line()?, line()?);
    if !wrote.starts_with("quorumscope check ") {
        return Err(damaged());
    }
    if wrote != program() {
        return Err(format!(
            "was written by {wrote}, and this is {}; only the same version can go on from it",
            program()
        ));
    }
    if of != search {
        return Err(format!("is of another exploration ({of}); explore that, or name another file"));
    }
    let (checkpoint, _): (Checkpoint<'static>, _) = postcard::from_io((&mut from, &mut [])).map_err(|_| damaged())?;
    into.resume(checkpoint).map_err(|unfit| match unfit {
        Unfit::Damaged => damaged(),
        Unfit::Other => {
            "is by another version of the program: what it computed does not come out again; remove it and begin anew"
                .to_owned()
        }
    })
}

/// How many bytes stand before the checksum, if it is right.
fn checked(from: &mut BufReader<File>) -> io::Result<Option<u64>> {
    let Some(size) = from.seek(SeekFrom::End(0))?.checked_sub(SUM) else { return Ok(None) };
    from.rewind()?;
    let mut sum = Hasher::new();
    let mut body = from.by_ref().take(size);
    loop {
        let bytes = body.fill_buf()?;
        let many = bytes.len();
        if many == 0 {
            break;
        }
        sum.update(bytes);
        body.consume(many);
    }
    let mut expected = [0; SUM as usize];
    from.read_exact(&mut expected)?;
    Ok((u32::from_le_bytes(expected) == sum.finalize()).then_some(size))
}

/// A file and the checksum of what was written into it.
struct Summed {
    file: File,
    sum: Hasher,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
