//! Memory that is used again: bodies and lists of readings come by the thousand, are large, and
//! live for milliseconds.
//!
//! Given back to the allocator between blocks that live for minutes, they leave holes of all sizes,
//! which stay with the process: with buffers that are used again the process needs half the memory.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use crate::readings::Point;

/// Bytes that are kept for each kind of item, and of one buffer at most and at least.
const MOST_KEPT: usize = 24 << 20;
const MOST_OF_ONE: usize = 8 << 20;
const LEAST_OF_ONE: usize = 16 << 10;

/// Buffers that wait to be used again.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    free: Mutex<Vec<Vec<T>>>,
}

/// What buffers are made of.
pub(crate) trait Item: Sized + 'static {
    /// Where buffers of it wait.
    fn pool() -> &'static Pool<Self>;
}

impl Item for u8 {
    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<u8> = Pool::new();
        &POOL
    }
}

impl Item for Point {
    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<Point> = Pool::new();
        &POOL
    }
}

impl<T> Pool<T> {
    const fn new() -> Self {
        Self { free: Mutex::new(Vec::new()) }
    }

    /// A buffer with room for so many items, and for not many times as many.
    fn take(&self, capacity: usize) -> Vec<T> {
        let bytes = capacity.saturating_mul(size_of::<T>());
        if !(LEAST_OF_ONE..=MOST_OF_ONE).contains(&bytes) {
            return Vec::with_capacity(capacity);
        }
        // Sizes that repeat, so that what was given back fits.
        let capacity = capacity.next_power_of_two();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        match free.iter().position(|items| items.capacity() == capacity) {
            Some(place) => free.swap_remove(place),
            None => Vec::with_capacity(capacity),
        }
    }

    fn give(&self, mut items: Vec<T>) {
        items.clear();
        let bytes = |items: &Vec<T>| items.capacity() * size_of::<T>();
        let is_of_the_pool = items.capacity().is_power_of_two()
            && (LEAST_OF_ONE..=2 * MOST_OF_ONE).contains(&bytes(&items));
        if !is_of_the_pool {
            return;
        }
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.iter().map(bytes).sum::<usize>() + bytes(&items) <= MOST_KEPT {
            free.push(items);
        }
    }
}

/// A vector whose memory is used again when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer<T: Item>(Vec<T>);

impl<T: Item> Buffer<T> {
    /// An empty buffer with room for at least `capacity` items.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(T::pool().take(capacity))
    }
}

impl<T: Item> Default for Buffer<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Item> Deref for Buffer<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Item> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T: Item> Drop for Buffer<T> {
    fn drop(&mut self) {
        T::pool().give(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_up_to_a_limit() {
        static POOL: Pool<u8> = Pool::new();
        let mut first = POOL.take(100_000);
        first.push(1);
        let place = first.as_ptr();
        POOL.give(first);
        let again = POOL.take(120_000);
        assert!(again.is_empty() && again.capacity() >= 120_000);
        assert_eq!(again.as_ptr(), place);
        // Neither what is small nor what is huge is worth keeping.
        for capacity in [0, 100, 3 * MOST_OF_ONE] {
            POOL.give(Vec::with_capacity(capacity));
        }
        assert!(POOL.free.lock().unwrap().is_empty());
        for _ in 0..10 {
            POOL.give(Vec::with_capacity(MOST_OF_ONE));
        }
        assert_eq!(POOL.free.lock().unwrap().len(), MOST_KEPT / MOST_OF_ONE);
    }
}
