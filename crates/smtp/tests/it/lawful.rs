//! Every reply that we can send is one that the RFCs list for the command that it answers.
//! The session asserts for each reply that its row names the command, so that the dialogs
//! and properties prove the rest.

use reply::Stage::{self, *};
use reply::catalogue::ROWS;

/// The codes that a command may be answered with besides 421, 500 and 501, which any may.
fn listed(stage: Stage) -> &'static [u16] {
    match stage {
        Connection => &[220, 554],
        Ehlo | Helo | Lhlo => &[250, 502, 504, 550],
        Mail => &[250, 552, 451, 452, 550, 553, 503, 455, 555],
        Rcpt => &[250, 251, 550, 551, 552, 553, 450, 451, 452, 503, 455, 555],
        Data => &[354, 451, 452, 503, 554],
        EndOfData => &[250, 552, 554, 451, 452, 450, 550],
        // RFC 3030 §2: 503, and what the end of data may have.
        Bdat => &[250, 552, 554, 451, 452, 450, 550, 503, 502],
        Rset | Noop => &[250],
        Quit => &[221],
        Vrfy => &[250, 251, 252, 550, 551, 553, 502, 504],
        Expn => &[250, 252, 550, 502, 504],
        Help => &[211, 214, 502, 504],
        // RFC 3207, RFC 4954, RFC 1985, RFC 2645, RFC 821: refused here, or out of sequence.
        StartTls | Auth => &[502, 503, 504],
        Etrn | Turn | Atrn | Send => &[502],
        Unrecognized => &[],
    }
}

#[test]
fn every_row_answers_only_commands_that_list_its_code() {
    rfc!(5321, "4.3.2");
    rfc!(5321, "4.2");
    let mut unlawful = Vec::new();
    // RFC 5321 §3.1 has 503 for every command after a 554 greeting.
    for row in ROWS.iter().filter(|row| row.id != "no_service") {
        for stage in row.answers {
            let code = row.code.value();
            if ![421, 500, 501].contains(&code) && !listed(*stage).contains(&code) {
                unlawful.push(format!("{} ({code}) answers {stage}", row.id));
            }
        }
    }
    assert!(unlawful.is_empty(), "{}", unlawful.join("\n"));
}

#[test]
fn enhanced_codes_are_absent_just_where_the_rfc_says() {
    rfc!(2034, "4");
    for row in ROWS {
        let hello = row.answers.iter().any(|stage| matches!(stage, Ehlo | Helo | Lhlo));
        let bare = row.answers == [Connection]
            || row.code.value() / 100 == 3
            || (hello && row.code.value() == 250);
        assert!(row.enhanced_code.is_none() == bare || row.code.value() == 421, "{}", row.id);
    }
}
