//! Places as bytes: the first as it is, each other as how much greater it is than the one before, seven bits a byte.

use crate::fault::Fault;

/// Rising places as bytes.
#[must_use]
pub fn pack(places: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(places.len() + 8);
    let mut before = 0;
    for place in places {
        let mut rest = place.wrapping_sub(before).unsigned_abs();
        before = *place;
        loop {
            let low = (rest & 0x7f) as u8;
            rest >>= 7;
            if rest == 0 {
                out.push(low);
                break;
            }
            out.push(low | 0x80);
        }
    }
    out
}

/// And back.
///
/// # Errors
/// When the bytes are not such places.
pub fn unpack(bytes: &[u8]) -> Result<Vec<i64>, Fault> {
    let broken = || super::super::broken("places of a word", "they are not numbers that rise");
    let mut out = Vec::with_capacity(bytes.len());
    let mut before: i64 = 0;
    let (mut value, mut shift) = (0_u64, 0_u32);
    for byte in bytes {
        if shift > 63 {
            return Err(broken());
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 != 0 {
            shift += 7;
            continue;
        }
        let step = i64::try_from(value).map_err(|_| broken())?;
        before = before.checked_add(step).ok_or_else(broken)?;
        if step == 0 && !out.is_empty() {
            return Err(broken());
        }
        out.push(before);
        (value, shift) = (0, 0);
    }
    if shift == 0 { Ok(out) } else { Err(broken()) }
}

/// Adds places to rising ones; those that are there already are not added again.
pub fn add(places: &mut Vec<i64>, more: &[i64]) {
    let rises = more.is_sorted_by(|a, b| a < b);
    if rises && places.last().is_none_or(|last| more.first().is_none_or(|first| first > last)) {
        places.extend_from_slice(more);
        return;
    }
    places.extend_from_slice(more);
    places.sort_unstable();
    places.dedup();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // tests
    use super::*;

    #[test]
    fn places_read_back() {
        for places in [vec![], vec![0], vec![1], vec![1, 2, 3], vec![127, 128, 16_384, i64::MAX], (0..2000).map(|n| n * n).collect()] {
            assert_eq!(unpack(&pack(&places)).unwrap(), places);
        }
        assert!(pack(&(1_000_000..1_000_512).collect::<Vec<_>>()).len() < 520);
        for bad in [&[0x80_u8][..], &[0xff; 12], &[1, 0], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
            assert!(unpack(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn places_are_added_once_and_stay_in_order() {
        let mut places = vec![3, 5];
        for more in [&[7, 9][..], &[5, 4], &[9], &[], &[1, 1]] {
            add(&mut places, more);
        }
        assert_eq!(places, [1, 3, 4, 5, 7, 9]);
    }
}
