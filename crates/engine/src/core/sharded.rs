//! A map in many parts, so that its growing is nobody's long wait.
//!
//! One large hash map doubles all at once: at 200,000 open alerts that held every command for some
//! 50 ms, which showed as the tail of the intake's latency. Each part here doubles by itself.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};

/// Parts; a part of a million entries in all then has 4,000, which double in well under a millisecond.
const PARTS: usize = 256;

/// See the module.
#[derive(Debug)]
pub struct Sharded<K, V> {
    parts: Vec<HashMap<K, V>>,
    hasher: RandomState,
    len: usize,
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashMap::new()).collect(), hasher: RandomState::new(), len: 0 }
    }
}

impl<K: Hash + Eq, V> Sharded<K, V> {
    fn part(&self, key: &K) -> usize {
        // The top bits: the parts' own maps start from the bottom ones, of another hash anyway.
        usize::try_from(self.hasher.hash_one(key) >> 56).unwrap_or(0)
    }
    /// Entries in all.
    pub const fn len(&self) -> usize {
        self.len
    }
    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.parts[self.part(key)].get(key)
    }
    /// The same, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let part = self.part(key);
        self.parts[part].get_mut(key)
    }
    /// Whether a key is there.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }
    /// Puts a value, and gives back the one it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let part = self.part(&key);
        let before = self.parts[part].insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }
    /// Takes a key out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let part = self.part(key);
        let before = self.parts[part].remove(key);
        self.len -= usize::from(before.is_some());
        before
    }
    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.parts.iter().flatten()
    }
    /// All entries, taken out.
    pub fn drain(&mut self) -> impl Iterator<Item = (K, V)> {
        std::mem::take(self).parts.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaves_as_one_map() {
        let mut map = Sharded::default();
        for n in 0..5_000_u32 {
            assert_eq!(map.insert(n, n), None);
        }
        assert_eq!(map.insert(7, 70), Some(7));
        assert_eq!(map.remove(&8), Some(8));
        assert_eq!(map.remove(&8), None);
        assert_eq!((map.len(), map.get(&7), map.contains_key(&8)), (4_999, Some(&70), false));
        assert_eq!(map.iter().count(), 4_999);
        assert_eq!(map.drain().count(), 4_999);
        assert_eq!(map.len(), 0);
    }
}
