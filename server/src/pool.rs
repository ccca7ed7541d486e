//! Places: how many requests of one sort are served at once, in all and of one client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::client::Client;
use crate::held::Guard;
use crate::limits::{PATIENCE, ROOM_BYTES};

/// Places for one sort of request.
pub struct Pool {
    all: Arc<Semaphore>,
    each: usize,
    /// How much room a place has.
    room: u32,
    /// Only clients that hold a place or wait for one.
    clients: Mutex<BTreeMap<Client, Arc<Semaphore>>>,
}

/// A place. It is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    of_client: OwnedSemaphorePermit,
    of_all: OwnedSemaphorePermit,
}

impl Pool {
    /// So many places in all, and so many for one client.
    pub fn new(places: (usize, usize)) -> Self {
        Self::with_room(places, 1)
    }

    /// Places that have so much room each, and keep only what they need of it.
    pub fn with_room((all, each): (usize, usize), room: usize) -> Self {
        let all = Arc::new(Semaphore::new(all * room));
        Self { all, each: each * room, room: u32::try_from(room).unwrap_or(u32::MAX), clients: Mutex::default() }
    }

    /// A place, as soon as there is one; none when patience ends before.
    pub async fn enter(&self, client: Client) -> Option<Place> {
        let (of_client, of_all) = (self.of(client), Arc::clone(&self.all));
        let place = async {
            let of_client = of_client.acquire_many_owned(self.room).await.ok()?;
            Some(Place { of_client, of_all: of_all.acquire_many_owned(self.room).await.ok()? })
        };
        tokio::time::timeout(PATIENCE, place).await.ok().flatten()
    }

    fn of(&self, client: Client) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(clients.entry(client).or_insert_with(|| Arc::new(Semaphore::new(self.each))))
    }
}

impl Guard for Place {
    fn weighs(&mut self, bytes: usize) {
        let needed = bytes.div_ceil(ROOM_BYTES).max(1);
        for room in [&mut self.of_client, &mut self.of_all] {
            drop(room.split(room.num_permits().saturating_sub(needed)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn client(number: u8) -> Client {
        IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    #[tokio::test]
    async fn one_client_cannot_take_every_place_and_what_is_left_is_free_again() {
        let pool = Pool::new((3, 2));
        let first = pool.enter(client(1)).await;
        let second = pool.enter(client(1)).await;
        assert!(first.is_some() && second.is_some());
        let (third, other) = tokio::join!(pool.enter(client(1)), pool.enter(client(2)));
        assert!(third.is_none() && other.is_some());
        assert!(pool.enter(client(3)).await.is_none(), "all are taken");
        drop(first);
        assert!(pool.enter(client(3)).await.is_some());
        drop((second, other));
        assert!(pool.enter(client(4)).await.is_some());
        assert_eq!(pool.clients.lock().unwrap().len(), 1, "clients that left are remembered");
    }

    #[tokio::test]
    async fn a_place_keeps_only_the_room_that_it_needs() {
        let pool = Pool::with_room((1, 1), 64);
        let mut first = pool.enter(client(1)).await.unwrap();
        assert!(pool.enter(client(2)).await.is_none(), "its size is not known yet");
        first.weighs(3 << 20);
        assert_eq!((pool.all.available_permits(), pool.of(client(1)).available_permits()), (61, 61));
        first.weighs(0);
        first.weighs(64 << 20);
        assert_eq!(pool.all.available_permits(), 63);
        drop(first);
        assert_eq!(pool.all.available_permits(), 64);
    }
}
