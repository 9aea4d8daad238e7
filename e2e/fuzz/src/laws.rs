//! Laws of every list, whatever its format.

use std::fmt::Debug;

use rollcall_engine::reading::{Extent, Reading};

/// A number below `limit` (0 when there is none) that the input alone decides: FNV-1a of its bytes.
pub(crate) fn draw(data: &[u8], limit: usize) -> usize {
    let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash).unwrap_or(usize::MAX).checked_rem(limit).unwrap_or_default()
}

/// Pieces in which the input may come from a network: of 1 to 64 bytes.
pub(crate) fn piece(data: &[u8]) -> usize {
    1 + draw(data, 64)
}

/// A part of the input that ends before its last byte that is not white space.
pub(crate) fn cut(data: &[u8]) -> &[u8] {
    let filled = data.trim_ascii_end();
    data.get(..draw(data, filled.len())).unwrap_or_default()
}

/// No more objects of JSON are in these bytes than this.
pub(crate) fn objects_begun(data: &[u8]) -> usize {
    data.split(|byte| *byte == b'{').skip(1).count()
}

pub(crate) fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

/// The laws of a list that comes as a JSON document: it reads the same in one piece and in many, tells no more entries than
/// there are beginnings of one, and is not whole without its last byte, or any more of them.
pub(crate) fn list<T: Debug + PartialEq>(
    data: &[u8],
    read: impl Fn(&[u8], usize) -> Reading<T>,
    entries: impl Fn(&T) -> usize,
) {
    let told = read(data, usize::MAX);
    assert_eq!(told, read(data, piece(data)), "it reads otherwise in pieces");
    let begun = objects_begun(data);
    assert!(entries(&told.seen) <= begun, "{} entries, {begun} beginnings of one", entries(&told.seen));
    if is_complete(&told) {
        let part = read(cut(data), usize::MAX);
        assert!(!is_complete(&part), "a part is whole: {part:?}");
    }
}
