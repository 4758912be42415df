//! What of a contact's heap goes out together: no I/O, so that the simulator runs the very same.

use std::collections::HashSet;

use allclear_domain::ids::MessageId;
use allclear_store::rows::message::Waiting;

/// What goes out as one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// What may have arrived under this id before: it goes out as the same set.
    Again(MessageId),
    /// What was never under way: the first of it is the lead.
    New(Vec<MessageId>),
}

/// Sorts a heap, worst first, into messages, `room` of them at most. Pages that were never under way gather in one;
/// what tells or asks goes alone, as do pages where `gather` is off.
#[must_use]
pub fn sets(heap: &[Waiting], gather: bool, room: usize) -> Vec<Set> {
    let mut out: Vec<Set> = Vec::new();
    let mut again = HashSet::new();
    let mut pages: Option<usize> = None;
    for waiting in heap {
        if let Some(lead) = waiting.bundle {
            if again.insert(lead) && out.len() < room {
                out.push(Set::Again(lead));
            }
            continue;
        }
        let gathers = waiting.pages && gather;
        if gathers && let Some(Set::New(ids)) = pages.and_then(|at| out.get_mut(at)) {
            ids.push(waiting.id);
        } else if out.len() < room {
            if gathers {
                pages = Some(out.len());
            }
            out.push(Set::New(vec![waiting.id]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: u128, pages: bool, bundle: Option<u128>) -> Waiting {
        Waiting { id: MessageId::from_bits(id), pages, bundle: bundle.map(MessageId::from_bits), severity: "sev2".into() }
    }

    #[test]
    fn pages_gather_what_may_have_arrived_stays_together_and_the_rest_goes_alone() {
        let heap = [
            waiting(1, true, None),
            waiting(2, true, Some(9)),
            waiting(3, true, None),
            waiting(4, true, Some(9)),
            waiting(5, false, None),
            waiting(6, false, None),
        ];
        let id = MessageId::from_bits;
        let all = [Set::New(vec![id(1), id(3)]), Set::Again(id(9)), Set::New(vec![id(5)]), Set::New(vec![id(6)])];
        assert_eq!(sets(&heap, true, 9), all);
        assert_eq!(sets(&heap, true, 1), all[..1], "what there is no room for waits");
        assert_eq!(sets(&heap, false, 9).len(), 5, "each alone");
        assert_eq!(sets(&heap, true, 0), []);
    }
}
