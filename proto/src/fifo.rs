//! A queue in a vector. The standard library's ring costs 600 bytes of wasm more for each type it holds.

/// First in, first out.
#[derive(Clone, Debug)]
pub struct Fifo<T> {
    /// Those taken already stand in front, as `None`.
    items: Vec<Option<T>>,
    taken: usize,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            taken: 0,
        }
    }
}

impl<T> Fifo<T> {
    /// The first one.
    pub fn front(&self) -> Option<&T> {
        self.items.get(self.taken)?.as_ref()
    }

    /// Adds one at the end.
    pub fn push_back(&mut self, item: T) {
        self.items.push(Some(item));
    }

    /// Takes the first one.
    pub fn pop_front(&mut self) -> Option<T> {
        let item = self.items.get_mut(self.taken)?.take();
        self.taken += 1;
        // Moving the rest costs no more than what was taken since it was moved last.
        if self.taken * 2 > self.items.len() {
            self.items = self.items.split_off(self.taken);
            self.taken = 0;
        }
        item
    }

    /// Those that wait, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flatten()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.items.len() - self.taken
    }

    /// Does none wait?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
