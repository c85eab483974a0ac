//! Completions for shells and manual pages, made from the command line's own description.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::home::put;
use super::{Arguments, OK, wrong};

/// `kinlab completions SHELL`.
pub(super) fn completions(shell: Shell) -> std::io::Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kinlab", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(OK)
}

/// A page and those of its commands: name of the file and text.
fn pages(command: &Command, into: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    into.push((format!("{}.1", command.get_display_name().unwrap_or("kinlab")), text));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        pages(below, into)?;
    }
    Ok(())
}

/// `kinlab man`: the page of the program, or with a folder the pages of all commands as files there.
pub(super) fn manual(folder: Option<&Path>) -> std::io::Result<u8> {
    let mut command = Arguments::command();
    command.build();
    let mut all = Vec::new();
    pages(&command, &mut all)?;
    let Some(folder) = folder else {
        std::io::stdout().lock().write_all(&all[0].1)?;
        return Ok(OK);
    };
    if let Err(error) = std::fs::create_dir_all(folder) {
        return wrong(format!("{}: {error}", folder.display()));
    }
    for (name, text) in &all {
        if let Err(error) = put(&folder.join(name), &String::from_utf8_lossy(text)) {
            return wrong(error);
        }
    }
    eprintln!("{} manual pages are in {}; man -l {}/kinlab.1 shows the first", all.len(), folder.display(), folder.display());
    Ok(OK)
}
