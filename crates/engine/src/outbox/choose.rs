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

impl Set {
    /// The id under which it goes out.
    #[must_use]
    pub fn lead(&self) -> Option<MessageId> {
        match self {
            Self::Again(lead) => Some(*lead),
            Self::New(ids) => ids.first().copied(),
        }
    }
}

/// Sorts a heap, worst first, into messages, `room` of them at most. Pages that were never under way gather in one,
/// and what else had to wait in another, so that whoever could not be reached for an hour gets two messages and not
/// eighty. A question goes alone, since far down in a list nobody would see it; and each does where `gather` is off.
#[must_use]
pub fn sets(heap: &[Waiting], gather: bool, room: usize) -> Vec<Set> {
    let mut out: Vec<Set> = Vec::new();
    let mut again = HashSet::new();
    // Where all else gathers, and where pages do.
    let mut gathered: [Option<usize>; 2] = [None, None];
    for waiting in heap {
        if let Some(lead) = waiting.bundle {
            if again.insert(lead) && out.len() < room {
                out.push(Set::Again(lead));
            }
            continue;
        }
        if waiting.asks {
            if out.len() < room {
                out.push(Set::New(vec![waiting.id]));
            }
            continue;
        }
        let at = &mut gathered[usize::from(waiting.pages)];
        if gather && let Some(Set::New(ids)) = at.and_then(|at| out.get_mut(at)) {
            ids.push(waiting.id);
        } else if out.len() < room {
            *at = Some(out.len());
            out.push(Set::New(vec![waiting.id]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: u128, pages: bool, bundle: Option<u128>) -> Waiting {
        Waiting { id: MessageId::from_bits(id), pages, asks: false, bundle: bundle.map(MessageId::from_bits), severity: "sev2".into() }
    }

    #[test]
    fn pages_gather_and_so_does_the_rest_and_what_may_have_arrived_stays_together() {
        let heap = [
            waiting(1, true, None),
            waiting(2, true, Some(9)),
            waiting(3, true, None),
            waiting(4, true, Some(9)),
            waiting(5, false, None),
            waiting(6, false, None),
        ];
        let id = MessageId::from_bits;
        let all = [Set::New(vec![id(1), id(3)]), Set::Again(id(9)), Set::New(vec![id(5), id(6)])];
        assert_eq!(sets(&heap, true, 9), all);
        assert_eq!(sets(&heap, true, 1), all[..1], "what there is no room for waits");
        assert_eq!(sets(&heap, false, 9).len(), 5, "each alone");
        assert_eq!(sets(&heap, true, 0), []);
    }

    #[test]
    fn a_question_is_a_message_of_its_own() {
        let asks = |id| Waiting { asks: true, ..waiting(id, false, None) };
        let heap = [waiting(1, true, None), asks(2), asks(3), waiting(4, false, None), waiting(5, false, None)];
        let new = |ids: &[u128]| Set::New(ids.iter().map(|id| MessageId::from_bits(*id)).collect());
        assert_eq!(sets(&heap, true, 9), [new(&[1]), new(&[2]), new(&[3]), new(&[4, 5])]);
        assert_eq!(sets(&heap, true, 2), [new(&[1]), new(&[2])], "before what only tells");
    }
}
