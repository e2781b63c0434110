//! Where the memory of our programs comes from: a message takes some thirty pieces of it,
//! which one thread takes and another gives back. Who depends on this crate has mimalloc as
//! its allocator.
//!
//! mimalloc keeps what was freed for a second, and gives it back to the system when it is
//! asked for much more: a server that has nothing to do after a flood would keep it for
//! ever. [`give_back`] has it look. What a thread keeps in pages of its own, for what it
//! asks next, stays with the thread.
//!
//! Unsafe code: the call of one function of the allocator, which is C and which its safe
//! wrapper leaves out. It takes a flag by value, may be called by any thread at any time,
//! and changes nothing that anyone else can see.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Gives back to the system what was freed a second ago or before, and not taken again.
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: see the head of this file.
    unsafe { libmimalloc_sys::mi_collect(false) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;
    use std::time::Duration;

    use super::*;

    const BUFFERS: usize = 256;
    const BUFFER_OCTETS: usize = 256 << 10;
    /// A second is twenty of them.
    const LOOKS: usize = 1000;

    fn resident_octets() -> usize {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }

    #[test]
    fn what_was_freed_goes_back_to_the_system() {
        let before = resident_octets();
        let buffers: Vec<_> = (0..BUFFERS).map(|_| vec![7u8; BUFFER_OCTETS]).collect();
        let most = resident_octets();
        assert!(most >= before + BUFFERS * BUFFER_OCTETS);
        drop(buffers);
        let enough = before + BUFFERS * BUFFER_OCTETS / 8;
        let mut looks = 0;
        while resident_octets() > enough && looks < LOOKS {
            thread::sleep(Duration::from_millis(50));
            give_back();
            looks += 1;
        }
        assert!(resident_octets() <= enough, "{before} {most} {}", resident_octets());
    }
}
