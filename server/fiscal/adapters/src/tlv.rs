//! The few bytes of DER that adapters have to read: one element after the other. It judges nothing; whoever wants a judgement asks a verifier.

/// The next element of a sequence's content: its tag, what it holds, and the rest. Nothing where it is cut or of a length that is not definite.
pub(crate) fn next(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = input.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.is_empty() || bytes.len() > 4 {
            return None;
        }
        let length = bytes.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// A whole number above or equal to zero.
pub(crate) fn number(content: &[u8]) -> Option<u64> {
    let bytes = content
        .strip_prefix(&[0])
        .filter(|rest| !rest.is_empty())
        .unwrap_or(content);
    if bytes.is_empty() || bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_one_after_the_other_and_cut_ones_not_at_all() {
        let bytes = [0x02, 0x01, 0x05, 0x04, 0x81, 0x02, 0xaa, 0xbb];
        let (tag, content, rest) = next(&bytes).unwrap();
        assert_eq!((tag, number(content)), (0x02, Some(5)));
        assert_eq!(next(rest), Some((0x04, [0xaa, 0xbb].as_slice(), [].as_slice())));
        for cut in [
            &bytes[..2],
            &[0x02][..],
            &[][..],
            &[0x04, 0x80, 0, 0][..],
            &[0x04, 0x85, 1, 1, 1, 1, 1][..],
        ] {
            assert_eq!(next(cut), None, "{cut:02x?}");
        }
        assert_eq!(number(&[0, 0xff]), Some(255));
        assert_eq!((number(&[]), number(&[1; 9]), number(&[0])), (None, None, Some(0)));
    }
}
