//! Work beside the loop: so much at once, and none that ends without a word.
#![expect(clippy::disallowed_types, reason = "a task's id has no order, and nothing here asks for one")]

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;

use tokio::task::{Id, JoinSet};
use tracing::error;

/// Small work that is done at once. The archive has one writer and a few readers.
const SMALL_MAX: usize = 32;

/// Small work that waits for its turn: a message of heads asks for a piece of work for each.
const WAITING_MAX: usize = 2048;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What runs and what waits. `D` is what the loop is told if a task panics, in place of what the task
/// would have told.
pub struct Work<D> {
    tasks: JoinSet<()>,
    owed: HashMap<Id, Owed<D>>,
    waiting: VecDeque<(Task, Option<D>)>,
    small: usize,
}

struct Owed<D> {
    instead: Option<D>,
    small: bool,
}

impl<D> Work<D> {
    pub fn new() -> Self {
        Self { tasks: JoinSet::new(), owed: HashMap::new(), waiting: VecDeque::new(), small: 0 }
    }

    /// Begins at once: for work that mostly waits, and of which there is one for each log or partner.
    pub fn begin(&mut self, task: impl Future<Output = ()> + Send + 'static, instead: Option<D>) {
        self.spawn(Box::pin(task), instead, false);
    }

    /// Begins when there is room. When too much waits, it is not done: answers what to tell instead.
    pub fn queue(&mut self, task: impl Future<Output = ()> + Send + 'static, instead: Option<D>) -> Option<D> {
        if self.small < SMALL_MAX {
            self.spawn(Box::pin(task), instead, true);
        } else if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back((Box::pin(task), instead));
        } else {
            return instead;
        }
        None
    }

    /// Waits until some work has ended, and answers what is to be told in its place, if it panicked.
    /// Safe to cancel.
    pub async fn ended(&mut self) -> Option<D> {
        let ended = match self.tasks.join_next_with_id().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        };
        let (id, panicked) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => {
                error!(%error, "Work beside the loop failed; this is a bug");
                (error.id(), true)
            }
        };
        let owed = self.owed.remove(&id)?;
        if owed.small {
            self.small -= 1;
            if let Some((task, instead)) = self.waiting.pop_front() {
                self.spawn(task, instead, true);
            }
        }
        owed.instead.filter(|_| panicked)
    }

    /// Ends everything.
    pub async fn shutdown(&mut self) {
        self.waiting.clear();
        self.tasks.shutdown().await;
    }

    fn spawn(&mut self, task: Task, instead: Option<D>, small: bool) {
        let id = self.tasks.spawn(task).id();
        self.owed.insert(id, Owed { instead, small });
        self.small += usize::from(small);
    }
}
