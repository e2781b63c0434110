//! The drop folder: what `send` leaves where no daemon runs, and what the next start
//! picks up. Lands with the command line.
