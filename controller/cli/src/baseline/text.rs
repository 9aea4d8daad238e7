//! A baseline as people read it: as files that a reviewer can judge, and as what was done and what stays open.

use std::fmt::Write as _;

use jiff::civil::Date;
use rollcall_engine::ids::HostId;
use rollcall_engine::text::{argument, count};
use unicode_width::UnicodeWidthStr as _;

use super::BaselineArgs;
use super::freeze::{Frozen, Lot};
use super::shrink::Shrunk;
use crate::exemption::document;
use crate::input::Decided;
use crate::terminal::wrap;
use crate::ways::spoken;
use crate::write::comment;

/// No more hosts than this are named in a line; the rest is counted.
const MOST_NAMED: usize = 5;

/// The file of a new Exemption.
///
/// # Errors
/// None that can be provoked: the serializer takes all strings.
pub fn of_lot(lot: &Lot) -> anyhow::Result<String> {
    let mut head = String::new();
    comment(&mut head, &format!("{} {}", lot.exemption.spec.match_.code, lot.cause));
    let places: Vec<String> = lot.environments.iter().map(|(name, many)| format!("{name} {many}")).collect();
    let hosts = count(lot.names.len(), "host");
    let of = if places.is_empty() { String::new() } else { format!(": {}", places.join(", ")) };
    comment(&mut head, &format!("frozen here: {} on {hosts}{of}", count(lot.findings, "finding")));
    comment(&mut head, &format!("fix: {}", lot.fix));
    comment(&mut head, "This list may only get shorter; rollcall baseline --shrink takes out what healed.");
    Ok(head + &document(&lot.exemption, &lot.names)?)
}

/// The file of a Baseline that lists less than before.
///
/// # Errors
/// None that can be provoked: the serializer takes all strings.
pub fn of_shrunk(shrunk: &Shrunk, decided: &Decided) -> anyhow::Result<String> {
    let mut head = String::new();
    let (left, out) = (count(shrunk.left.len(), "host"), shrunk.out.len());
    comment(
        &mut head,
        &format!("{left} left of a frozen cause; the last {out} taken out had healed or are gone."),
    );
    let names = shrunk
        .left
        .iter()
        .filter_map(|host| Some((host.clone(), decided.roll.hosts.get(host)?.name.clone()?)));
    Ok(head + &document(&shrunk.exemption, &names.collect())?)
}

/// What is told of a baseline.
#[derive(Debug)]
pub struct Told<'a> {
    /// What it was decided on.
    pub decided: &'a Decided,
    /// What was asked for.
    pub args: &'a BaselineArgs,
    /// What is frozen, and what is not.
    pub frozen: &'a Frozen,
    /// What can be listed less.
    pub shrunk: &'a [Shrunk],
}

/// The whole text, ending with a newline.
pub fn render(told: &Told<'_>, today: Date, width: usize) -> String {
    let mut out = String::new();
    blind(&mut out, told, width);
    frozen(&mut out, told, today, width);
    shrunk(&mut out, told, width);
    open(&mut out, told, width);
    next(&mut out, told, width);
    out
}

/// What could not be read is not frozen, and will be new once it can.
fn blind(out: &mut String, told: &Told<'_>, width: usize) {
    let roll = &told.decided.roll;
    let places = roll.accounts.values().flat_map(|account| {
        let instances = account.blind.iter().map(|(place, why)| format!("EC2 {place} {}", why.kind.as_str()));
        let databases = account.databases_blind.iter();
        instances.chain(databases.map(|(place, why)| format!("RDS {place} {}", why.kind.as_str())))
    });
    let systems = roll.systems.iter().flat_map(|(key, system)| {
        system.blind.iter().map(|(listing, why)| format!("{} {listing} {}", key.name, why.kind.as_str()))
    });
    for what in places.chain(systems) {
        let text = format!(
            "{what}: what it would show is unknown and is not frozen, and will be new once it can be read. Better: take a recording with all sources ✔."
        );
        wrap(out, " ✗ ", "   ", &text, width);
    }
    if !told.decided.problems.is_empty() {
        let text = format!(
            "{} in the objects: mend them first, what depends on them is not judged (rollcall plan lists them)",
            count(told.decided.problems.len(), "mistake")
        );
        wrap(out, " ✗ ", "   ", &text, width);
    }
    if !out.is_empty() {
        out.push('\n');
    }
}

fn frozen(out: &mut String, told: &Told<'_>, today: Date, width: usize) {
    let lots = &told.frozen.lots;
    let days = || lots.iter().map(|lot| lot.exemption.spec.expires.as_str());
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        let _ = writeln!(out, "Baseline of {today}: nothing to freeze.");
        return;
    };
    let findings = lots.iter().map(|lot| lot.findings).sum();
    let _ = writeln!(
        out,
        "Baseline of {today}: {} in {}, due {first} to {last}, the worst first\n",
        count(findings, "finding"),
        count(lots.len(), "Exemption"),
    );
    for lot in lots {
        let head = format!(" {} {:>5}  ", lot.exemption.spec.match_.code, lot.findings);
        let indent = " ".repeat(head.width());
        wrap(out, &head, &indent, &lot.cause, width);
        let place = match &told.args.out {
            Some(folder) => super::path(folder, lot).display().to_string(),
            None => lot.key.to_string(),
        };
        wrap(out, &indent, &indent, &format!("until {}: {place}", lot.exemption.spec.expires), width);
    }
}

fn shrunk(out: &mut String, told: &Told<'_>, width: usize) {
    if told.shrunk.is_empty() {
        if told.args.shrink {
            let _ = writeln!(out, "\nNo Baseline can shrink: none of their hosts has healed or is gone.");
        }
        return;
    }
    let _ = writeln!(out, "\nShrunk: hosts that healed or are gone, taken out");
    for one in told.shrunk {
        let names: Vec<&str> = one.out.iter().map(HostId::as_str).collect();
        let text = format!("{}: {} out, {} left", one.key, count(one.out.len(), "host"), one.left.len());
        wrap(
            out,
            &format!(" {:>13}  ", -i64::try_from(one.out.len()).unwrap_or_default()),
            "                ",
            &text,
            width,
        );
        let by_hand = match (&one.file, one.left.is_empty()) {
            (Some(file), true) => format!("none is left: git rm {}", argument(&file.display().to_string())),
            (None, true) => "none is left: delete it from the file that holds it with others".to_owned(),
            (Some(file), false) if told.args.out.is_some() => format!("written: {}", file.display()),
            (Some(file), false) => format!("as printed, for {}", file.display()),
            (None, false) => format!(
                "it does not stand alone in a file: take out {} by hand",
                rollcall_engine::text::few(&names, names.len(), MOST_NAMED)
            ),
        };
        wrap(out, "                ", "                ", &by_hand, width);
    }
}

fn open(out: &mut String, told: &Told<'_>, width: usize) {
    if told.frozen.open.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nStays open: what a baseline does not freeze");
    for open in &told.frozen.open {
        let head = format!(" {} {:>5}  ", open.code, open.findings);
        let indent = " ".repeat(head.width());
        wrap(out, &head, &indent, &open.cause, width);
        wrap(out, &format!("{indent}why: "), &format!("{indent}     "), open.why, width);
        wrap(out, &format!("{indent}fix: "), &format!("{indent}     "), &open.fix, width);
    }
}

fn next(out: &mut String, told: &Told<'_>, width: usize) {
    if told.frozen.lots.is_empty() {
        return;
    }
    out.push('\n');
    let on = spoken(&told.args.input.on, &told.args.input.ways);
    let given = &told.args.input.objects.files;
    let text = match &told.args.out {
        None => "the same with --out DIR, which writes one file per Exemption".to_owned(),
        Some(folder) if given.is_empty() => {
            format!(
                "add {} to the tree that the recording's objects came from; rollcall plan -f TREE {on}",
                argument(&folder.display().to_string())
            )
        }
        Some(folder) => {
            let is_beside = !given.iter().any(|given| folder.starts_with(given));
            let files = given.iter().chain(Some(folder).filter(|_| is_beside));
            let files: Vec<String> =
                files.map(|path| format!("-f {}", argument(&path.display().to_string()))).collect();
            format!("rollcall plan {} {on}", files.join(" "))
        }
    };
    // A command is to be copied: it is not broken into lines.
    let _ = writeln!(out, "Next: {text}");
    wrap(
        out,
        "",
        "",
        "Nothing that exists was widened. What is frozen is not compliant; what comes up from now on is new.",
        width,
    );
}
