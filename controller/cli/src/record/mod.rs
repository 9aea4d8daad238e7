//! `rollcall record`: writes a recording to a file, and says what is in it, what was left out of it, and how old it is.
//!
//! It never writes over a file unless told to. A recording holds no secret, by its types: what is written here is what was
//! understood, not the bytes that came.

mod text;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser;

use crate::input::{self, ObjectArgs};
use crate::ways::{On, Ways};
use crate::{CLEAN, terminal, write};

/// What helps when a file stands in the way.
const HINT: &str = "choose another name, or write over it with --force";

/// Arguments of `rollcall record`.
#[derive(Debug, Parser)]
pub struct RecordArgs {
    /// What to record: cluster for what the operator's next roll call would be made of, cut to what you may see; live to read
    /// AWS and the monitoring systems now, without memory; or a recording in a file, to look into it or write it anew.
    #[arg(long, value_name = "RECORDING|cluster|live", default_value = "cluster")]
    on: On,
    #[command(flatten)]
    ways: Ways,
    #[command(flatten)]
    objects: ObjectArgs,
    /// The file to write: gzip when its name ends with .gz, else JSON; - for standard output.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write over a file that exists.
    #[arg(long)]
    force: bool,
}

/// Takes a recording, writes it, and tells about it where that does not mix with it.
///
/// # Errors
/// When there is no recording to be had, or the file stands in the way.
pub fn run(args: &RecordArgs) -> anyhow::Result<u8> {
    let to_stdout = args.output == Path::new("-");
    if !to_stdout {
        // Before the operator is troubled.
        write::refuse_existing([args.output.as_path()], args.force, HINT)?;
    }
    let recording = input::with_objects(&args.on, &args.ways, &args.objects)?.0;
    if to_stdout {
        std::io::stdout().lock().write_all(&recording.to_vec())?;
        anstream::eprint!("{}", text::render("standard output", &recording, terminal::width()));
        return Ok(CLEAN);
    }
    let is_gzip = args.output.extension().is_some_and(|extension| extension == "gz");
    let bytes = if is_gzip { recording.to_gzip() } else { recording.to_vec() };
    write::one(&args.output, &bytes, args.force, HINT)?;
    let title = format!("{}, {} kB", args.output.display(), bytes.len().div_ceil(1_000));
    anstream::print!("{}", text::render(&title, &recording, terminal::width()));
    Ok(CLEAN)
}
