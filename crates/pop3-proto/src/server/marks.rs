//! The messages that are marked as deleted.

use alloc::vec::Vec;

use crate::codec::MessageNumber;

const BITS: usize = u64::BITS as usize;

/// A set of messages: one bit per message, and no memory before the first mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    words: Vec<u64>,
}

impl Marks {
    pub(super) fn contains(&self, number: MessageNumber) -> bool {
        let index = number.index();
        self.words.get(index / BITS).is_some_and(|word| word & (1 << (index % BITS)) != 0)
    }

    pub(super) fn insert(&mut self, number: MessageNumber) {
        let index = number.index();
        if self.words.len() <= index / BITS {
            self.words.resize(index / BITS + 1, 0);
        }
        if let Some(word) = self.words.get_mut(index / BITS) {
            *word |= 1 << (index % BITS);
        }
    }

    /// Adds the marks of another set.
    pub(super) fn add(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    pub(super) fn clear(&mut self) {
        self.words.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = MessageNumber> {
        (0..self.words.len() * BITS).filter_map(MessageNumber::from_index).filter(|number| self.contains(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn s12_marks_are_a_set(first in prop::collection::vec(0usize..400, 0..8), more in prop::collection::vec(0usize..400, 0..8)) {
            let marked = |indices: &[usize]| {
                let mut marks = Marks::default();
                for index in indices {
                    marks.insert(MessageNumber::from_index(*index).unwrap());
                    prop_assert!(marks.words.len() <= 400 / BITS + 1, "a bit a message");
                }
                Ok(marks)
            };
            let mut marks = marked(&first)?;
            marks.add(&marked(&more)?);
            let expected: BTreeSet<usize> = first.into_iter().chain(more).collect();
            prop_assert!(marks.iter().map(MessageNumber::index).eq(expected.iter().copied()));
            for index in 0..500 {
                prop_assert_eq!(marks.contains(MessageNumber::from_index(index).unwrap()), expected.contains(&index));
            }
            marks.clear();
            prop_assert_eq!(marks.iter().count(), 0);
        }
    }
}
