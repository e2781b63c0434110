//! Mistakes that a server could make, planted into the simulated one: a promise that no
//! mistake breaks is not checked. None of them exists in the product.

use crate::ledger::Promise;

/// One mistake, made wherever it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk says that it synced, and did not.
    DiskForgetsSyncs,
    /// A message's end is not written down, and it is taken for done: a restart or the
    /// next turn finds it again.
    EndIsNotWritten,
    /// A message leaves the queue after any attempt.
    DroppedAfterAnyAttempt,
    /// What was given up leaves without a notification.
    FailsInSilence,
    /// Each notification goes into the queue twice.
    TellsTwice,
    /// That a delay was told is forgotten.
    ForgetsThatItTold,
    /// A notification is answered by a notification.
    TellsTheNullPath,
    /// Attempts come a second after the last one, whatever the plan says.
    ComesAtOnce,
    /// Half of the wait that a reply named is planned.
    HalvesTheNamedTime,
    /// Attempts are planned every twenty seconds.
    PlansAStorm,
    /// A refusal for good is tried again.
    RetriesRefusals,
    /// A refusal for now is bounced.
    BouncesDelays,
    /// A message is not put back into the schedule.
    ForgetsToComeBack,
    /// A clock that was set back is not noticed.
    WaitsForTheOldClock,
    /// What was taken has lost its last line.
    CutsTheMessage,
    /// Something beside the seed decides.
    LooksAtSomethingElse,
}

impl Fault {
    /// Every fault, and the promises that it may be seen to break.
    pub(crate) const ALL: &[(Fault, &[Promise])] = &[
        (Fault::DiskForgetsSyncs, &[Promise::NothingIsLost, Promise::CutIsNoDamage]),
        (Fault::EndIsNotWritten, &[Promise::NothingComesTwice, Promise::NoStorm]),
        (Fault::DroppedAfterAnyAttempt, &[Promise::NothingIsLost]),
        (Fault::FailsInSilence, &[Promise::FailureIsTold]),
        (Fault::TellsTwice, &[Promise::ToldOnce]),
        (Fault::ForgetsThatItTold, &[Promise::ToldOnce]),
        (Fault::TellsTheNullPath, &[Promise::NullPathIsNeverTold]),
        (Fault::ComesAtOnce, &[Promise::NeverEarly, Promise::NeverBeforeTheNamedTime]),
        (Fault::HalvesTheNamedTime, &[Promise::NeverBeforeTheNamedTime]),
        (Fault::PlansAStorm, &[Promise::NoStorm]),
        (Fault::RetriesRefusals, &[Promise::RefusalIsFinal]),
        (Fault::BouncesDelays, &[Promise::DelayIsNoFailure]),
        (Fault::ForgetsToComeBack, &[Promise::QueueDrains]),
        (Fault::WaitsForTheOldClock, &[Promise::RetriesGoOn]),
        (Fault::CutsTheMessage, &[Promise::MessageIsWhole]),
        (Fault::LooksAtSomethingElse, &[]),
    ];
}
