//! How it is noticed that a part of the server has come to its end.

use tokio::sync::watch;

/// Ends with a part that runs, however that comes to its end: by a panic, too.
pub(super) struct Life(watch::Receiver<()>);

/// What a part holds while it runs.
pub(super) type Alive = watch::Sender<()>;

impl Life {
    pub(super) fn begin() -> (Alive, Life) {
        let (alive, life) = watch::channel(());
        (alive, Life(life))
    }

    /// Waits for the end of the part; at once where it has ended.
    pub(super) async fn ended(&self) {
        let mut life = self.0.clone();
        while life.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_life_ends_with_what_lives_even_by_a_panic() {
        let (alive, life) = Life::begin();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let _lives = alive;
            // Let go of.
            let _ = wait.recv();
            panic!("of the test");
        });
        assert!(timeout(Duration::ZERO, life.ended()).await.is_err());
        drop(go_on);
        life.ended().await;
        assert!(thread.join().is_err());
        life.ended().await;
    }
}
