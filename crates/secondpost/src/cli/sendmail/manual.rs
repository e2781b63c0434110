//! The manual of the faces. They read their options themselves, as Sendmail does; these
//! declarations are for the pages, and a test holds them to what is read.

use clap::{Arg, ArgAction, Command};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page of `sendmail`.
pub(crate) fn sendmail() -> Command {
    let options = [
        switch('t', "Take the recipients from To, Cc and Bcc as well, and leave Bcc out"),
        switch('i', "Do not let a line with a single dot end the message (also -oi)"),
        option('f', "ADDRESS", "The envelope sender, to which bounces go; <> is nobody (also -r)"),
        option('F', "NAME", "The name of the sender, for a From field that is missing"),
        option(
            'N',
            "NOTIFY",
            "Of what the sender is told: never, or a list of success, failure and delay",
        ),
        option('R', "RET", "What a bounce holds of the message: full or hdrs"),
        option('V', "ENVID", "What a bounce names the message by"),
        option(
            'b',
            "MODE",
            "m: deliver a message, the default; s: speak SMTP; p: list the queue, as mailq; i: do nothing, as newaliases",
        ),
        switch('q', "Attempt what waits, now"),
    ];
    let recipients = Arg::new("RECIPIENT").num_args(0..).help("To whom; may be a list");
    Command::new("sendmail")
        .version(VERSION)
        .about("Hand a message to Secondpost as programs written for Sendmail do")
        .long_about(
            "Reads a message from standard input and hands it to the server, or leaves it in the \
             drop folder where none runs. Options of Sendmail that have no meaning here are read \
             and ignored; what Sendmail does not have either is refused.",
        )
        .after_help(
            "Exit status as in sysexits.h: 0 taken, 64 wrong usage, 65 a message or an address \
             that cannot be understood, 67 no such recipient, 69 refused, 74 the input cannot be \
             read, 75 try again later, 78 wrong settings.\n\n\
             SECONDPOST_DATA_DIR and SECONDPOST_CONFIG say where the server keeps its things.",
        )
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(options)
        .arg(recipients)
}

/// The page of `mailq`.
pub(crate) fn mailq() -> Command {
    Command::new("mailq")
        .version(VERSION)
        .about("List what waits in the queue of Secondpost, why, and until when")
        .after_help("The same as `secondpost queue`, which also has filters and JSON.")
        .disable_help_flag(true)
        .disable_version_flag(true)
}

fn switch(letter: char, about: &'static str) -> Arg {
    Arg::new(letter.to_string()).short(letter).action(ArgAction::SetTrue).help(about)
}

fn option(letter: char, value: &'static str, about: &'static str) -> Arg {
    Arg::new(letter.to_string()).short(letter).value_name(value).help(about)
}

#[cfg(test)]
mod tests {
    use super::super::options::{Mode, Options};
    use super::*;

    /// The options that a word changes.
    fn read(words: &[&str]) -> Options {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::parse(&words).unwrap()
    }

    #[test]
    fn every_option_of_the_page_means_something() {
        for arg in sendmail().get_opts() {
            let letter = arg.get_short().unwrap();
            let value = match (arg.get_action().takes_values(), letter) {
                (false, _) => "",
                (true, 'b') => "s",
                (true, _) => "full",
            };
            assert_ne!(read(&[&format!("-{letter}{value}")]), read(&[]), "-{letter}");
        }
        assert_eq!(read(&["-bp"]).mode, Mode::List);
    }
}
