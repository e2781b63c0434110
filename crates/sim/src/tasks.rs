//! Who runs next: tasks of one thread in virtual time, in an order that the seed decides.
//!
//! A task waits for a condition or a time ([`Tasks::until`]) and is polled again until it
//! holds; no wakers. When no task moved, the world moves its clock. A server's tasks die
//! with its power, wherever they were.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use reply::Timestamp;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Who loses a task when the power goes: a server by its place, or nobody.
pub(crate) type Owner = Option<usize>;

#[derive(Default)]
pub(crate) struct Tasks {
    running: RefCell<Vec<(Owner, Work)>>,
    /// Begun while others are polled.
    begun: RefCell<Vec<(Owner, Work)>>,
    now: Cell<Timestamp>,
    has_moved: Cell<bool>,
    wake: Cell<Option<Timestamp>>,
}

impl Tasks {
    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(crate) fn advance(&self, to: Timestamp) {
        self.now.set(to.max(self.now.get()));
    }

    pub(crate) fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + 'static) {
        self.begun.borrow_mut().push((owner, Box::pin(work)));
        self.has_moved.set(true);
    }

    /// Waits for `ready`; `None` where `deadline` comes first.
    pub(crate) async fn until<T>(
        &self,
        deadline: Option<Timestamp>,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        poll_fn(|_| {
            let value = ready();
            if value.is_some() || deadline.is_some_and(|at| at <= self.now()) {
                self.has_moved.set(true);
                return Poll::Ready(value);
            }
            let wakes = self.wake.get().into_iter().chain(deadline);
            self.wake.set(wakes.min());
            Poll::Pending
        })
        .await
    }

    pub(crate) async fn sleep(&self, until: Timestamp) {
        self.until(Some(until), || None::<()>).await;
    }

    /// Waits until the power's end is noticed, which ends the task.
    pub(crate) async fn die(&self) {
        self.until(None, || None::<()>).await;
    }

    /// Polls every task once, from the one at `first` on; whether any of them
    /// moved. Where none did, [`Tasks::wakes_at`] says when one will.
    pub(crate) fn round(&self, first: u64) -> bool {
        self.has_moved.set(false);
        self.wake.set(None);
        self.running.borrow_mut().append(&mut self.begun.borrow_mut());
        let mut running = std::mem::take(&mut *self.running.borrow_mut());
        let middle = first as usize % running.len().max(1);
        running.rotate_left(middle);
        let mut context = Context::from_waker(Waker::noop());
        running.retain_mut(|(_, work)| work.as_mut().poll(&mut context).is_pending());
        *self.running.borrow_mut() = running;
        self.has_moved.get()
    }

    pub(crate) fn wakes_at(&self) -> Option<Timestamp> {
        self.wake.get()
    }

    /// Ends the tasks of `owner` where they stand.
    pub(crate) fn kill(&self, owner: usize) {
        self.running.borrow_mut().retain(|(of, _)| *of != Some(owner));
        self.begun.borrow_mut().retain(|(of, _)| *of != Some(owner));
    }
}
