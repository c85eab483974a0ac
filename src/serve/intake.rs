//! What clients may hold together: connections, and bytes of requests that are not answered yet. Each client's own bounds are in `http`.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Connections at a time, when the system lets the program have as many.
const CONNECTIONS_MAX: usize = 10_000;
/// File handles for everything else.
const HANDLES_KEPT: usize = 64;
/// How long a new client waits for a place before others are asked to leave, and how many are.
const PATIENCE: Duration = Duration::from_millis(20);
const LEAVING: usize = 16;
/// Time that a new connection has to ask something.
const GRACE: Duration = Duration::from_millis(100);

/// Bytes of a body that come from the store for small ones, so that large ones never keep a small request out.
const SMALL: usize = 64 << 10;
/// What the two stores hold, in bytes.
const SMALL_STORE: usize = 128 << 20;
const LARGE_STORE: usize = 256 << 20;
/// Bytes are counted in pieces of this size.
const PIECE: usize = 1 << 10;
/// How long a body waits for room, how long for its next bytes, and how long for all of them.
const ROOM_TIME: Duration = Duration::from_secs(5);
const STALL_TIME: Duration = Duration::from_secs(10);
pub(super) const BODY_TIME: Duration = Duration::from_secs(60);

/// Places for connections. When all are taken, those that have asked nothing for longest are asked to leave: they answer what they are at, and
/// idle ones end at once.
#[derive(Debug, Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    taken: Taken,
}

/// Looks without a place after which more are asked to leave, although some that were asked are still there: they may be at long answers.
const LOOKS: u32 = 50;

/// The places that are taken, those that came first in front, and how many that were asked to leave are still there.
#[derive(Debug, Default)]
struct Seats {
    seats: VecDeque<Arc<Seat>>,
    leaving: usize,
}

type Taken = Arc<Mutex<Seats>>;

/// What is known of a taken place.
#[derive(Debug)]
pub(super) struct Seat {
    leave: Notify,
    /// Something was asked since the place was last looked at, and ever.
    used: AtomicBool,
    ever: AtomicBool,
    since: Instant,
}

impl Seat {
    fn new() -> Self {
        Self { leave: Notify::new(), used: AtomicBool::new(false), ever: AtomicBool::new(false), since: Instant::now() }
    }

    /// Something is asked.
    pub(super) fn use_it(&self) {
        self.used.store(true, Ordering::Relaxed);
        self.ever.store(true, Ordering::Relaxed);
    }

    /// It came a while ago and has never asked anything.
    fn is_silent(&self) -> bool {
        !self.ever.load(Ordering::Relaxed) && self.since.elapsed() > GRACE
    }

    /// It has just come and had no time to ask.
    fn is_new(&self) -> bool {
        self.since.elapsed() <= GRACE
    }
}

/// A place for a connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    seat: Arc<Seat>,
    taken: Taken,
}

impl Seats {
    /// Asks some to leave: those that never asked anything first, then those that have asked nothing since the last look. While some that were asked are still there, nobody else is: on a
    /// slow machine all would be asked before the first one is gone.
    fn make_room(&mut self, look: u32) {
        if self.leaving > 0 && !look.is_multiple_of(LOOKS) {
            return;
        }
        let before = self.leaving;
        let mut silent = 0;
        self.seats.retain(|seat| {
            let leaves = silent < LEAVING && seat.is_silent();
            if leaves {
                seat.leave.notify_one();
                silent += 1;
            }
            !leaves
        });
        self.leaving += silent;
        if silent > 0 {
            return;
        }
        for _ in 0..self.seats.len() {
            if self.leaving == before + LEAVING {
                return;
            }
            let Some(seat) = self.seats.pop_front() else { return };
            if seat.used.swap(false, Ordering::Relaxed) || seat.is_new() {
                self.seats.push_back(seat);
            } else {
                seat.leave.notify_one();
                self.leaving += 1;
            }
        }
        // All were in use: the one that came first goes. Those that have just come are waited for: most of them will be silent.
        if self.leaving == before
            && (look.is_multiple_of(LOOKS) || !self.seats.iter().any(|seat| seat.is_new()))
            && let Some(seat) = self.seats.pop_front()
        {
            seat.leave.notify_one();
            self.leaving += 1;
        }
    }
}

impl Places {
    pub(super) fn new() -> Self {
        let count = handles().map_or(CONNECTIONS_MAX, |handles| handles.saturating_sub(HANDLES_KEPT).clamp(16, CONNECTIONS_MAX));
        Self::with(count)
    }

    fn with(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), taken: Arc::default() }
    }

    /// The next free place.
    pub(super) async fn take(&self) -> Option<Place> {
        let mut look = 0;
        let permit = loop {
            match tokio::time::timeout(PATIENCE, self.free.clone().acquire_owned()).await {
                Ok(permit) => break permit.ok()?,
                Err(_) => {
                    look += 1;
                    lock(&self.taken).make_room(look);
                }
            }
        };
        let seat = Arc::new(Seat::new());
        lock(&self.taken).seats.push_back(seat.clone());
        Some(Place { _permit: permit, seat, taken: self.taken.clone() })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// What is known of the place.
    pub(super) fn seat(&self) -> Arc<Seat> {
        self.seat.clone()
    }

    /// Waits for `work`, or until the place is wanted; `None` then.
    pub(super) async fn unless_wanted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (mut work, mut leave) = (pin!(work), pin!(self.seat.leave.notified()));
        std::future::poll_fn(|context| match (work.as_mut().poll(context), leave.as_mut().poll(context)) {
            (Poll::Ready(done), _) => Poll::Ready(Some(done)),
            (_, Poll::Ready(())) => Poll::Ready(None),
            _ => Poll::Pending,
        })
        .await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        match taken.seats.iter().position(|other| Arc::ptr_eq(other, &self.seat)) {
            Some(at) => {
                taken.seats.remove(at);
            }
            // It was asked to leave.
            None => taken.leaving = taken.leaving.saturating_sub(1),
        }
    }
}

/// How many files and sockets the system lets this program have open, where it says so.
fn handles() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    text.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untaken {
    /// It is larger than it may be, or broken off.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// Others hold all there is.
    NoRoom,
}

/// The stores of bytes that bodies take from.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A body, and what it holds until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    /// The bytes.
    pub(super) bytes: Bytes,
    _permits: Vec<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self::with(SMALL_STORE, LARGE_STORE)
    }

    fn with(small: usize, large: usize) -> Self {
        Self { small: Arc::new(Semaphore::new(small / PIECE)), large: Arc::new(Semaphore::new(large / PIECE)) }
    }

    /// Takes a body of at most `most` bytes; only what has come counts, not what was announced.
    pub(super) async fn take(&self, mut body: Incoming, most: usize) -> Result<Held, Untaken> {
        let taking = async {
            let (mut bytes, mut permits, mut held) = (Vec::new(), Vec::new(), 0usize);
            let mut first: Option<Bytes> = None;
            loop {
                let frame = match tokio::time::timeout(STALL_TIME, body.frame()).await {
                    Err(_) => return Err(Untaken::TooSlow),
                    Ok(None) => break,
                    Ok(Some(Err(_))) => return Err(Untaken::TooLarge),
                    Ok(Some(Ok(frame))) => frame,
                };
                let Ok(data) = frame.into_data() else { continue };
                let length = bytes.len() + first.as_ref().map_or(0, Bytes::len) + data.len();
                if length > most {
                    return Err(Untaken::TooLarge);
                }
                if length > held {
                    held += self.room(length - held, length, &mut permits).await?;
                }
                // Most bodies come in one piece, which is taken as it is.
                match first.take() {
                    None if bytes.is_empty() => first = Some(data),
                    before => {
                        bytes.extend_from_slice(&before.unwrap_or_default());
                        bytes.extend_from_slice(&data);
                    }
                }
            }
            Ok(Held { bytes: first.unwrap_or_else(|| bytes.into()), _permits: permits })
        };
        tokio::time::timeout(BODY_TIME, taking).await.unwrap_or(Err(Untaken::TooSlow))
    }

    /// Room for so many bytes more of a body that then has `length`. Says how many it got.
    async fn room(&self, more: usize, length: usize, permits: &mut Vec<OwnedSemaphorePermit>) -> Result<usize, Untaken> {
        let store = if length <= SMALL { &self.small } else { &self.large };
        let pieces = more.div_ceil(PIECE);
        let count = u32::try_from(pieces).map_err(|_| Untaken::TooLarge)?;
        match tokio::time::timeout(ROOM_TIME, store.clone().acquire_many_owned(count)).await {
            Ok(Ok(permit)) => {
                match permits.last_mut().filter(|last| Arc::ptr_eq(last.semaphore(), store)) {
                    Some(last) => last.merge(permit),
                    None => permits.push(permit),
                }
                Ok(pieces * PIECE)
            }
            _ => Err(Untaken::NoRoom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
    }

    #[test]
    fn who_asks_nothing_leaves_when_a_place_is_wanted() {
        run(async {
            let places = Places::with(2);
            let (second, first) = (places.take().await.expect("free"), places.take().await.expect("free"));
            second.seat().use_it();
            let taker = tokio::spawn({
                let places = places.clone();
                async move { places.take().await.is_some() }
            });
            assert_eq!(first.unless_wanted(std::future::pending::<()>()).await, None);
            drop(first);
            assert!(taker.await.expect("it ends"));
            assert_eq!(second.unless_wanted(std::future::ready(5)).await, Some(5));
        });
    }

    #[test]
    fn room_is_bounded_and_comes_back() {
        run(async {
            let budget = Budget::with(4 * PIECE, 128 << 10);
            let mut permits = Vec::new();
            assert_eq!(budget.room(1, 1, &mut permits).await, Ok(PIECE));
            assert_eq!(budget.room(2 * PIECE, 3 * PIECE, &mut permits).await, Ok(2 * PIECE));
            assert_eq!(permits.len(), 1, "one permit a store");
            assert_eq!(budget.room(128 << 10, 200 << 10, &mut permits).await, Ok(128 << 10));
            assert_eq!((budget.small.available_permits(), budget.large.available_permits()), (1, 0));
            drop(permits);
            assert_eq!((budget.small.available_permits(), budget.large.available_permits()), (4, 128));
        });
    }
}
