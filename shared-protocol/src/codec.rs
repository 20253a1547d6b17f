//! CBOR as both sides write it: packed (fields by number), one spelling for every value.
//!
//! [`decode`] first scans the bytes without recursion or allocation: definite lengths, shortest integers and lengths, map keys that are
//! unsigned, sorted and unique, no floats, tags, null or undefined, depth within [`DEPTH_MAX`]. Then what was decoded is encoded again and
//! must give the same bytes, except for fields that a newer version appended: serde would also read a list in place of a struct and a
//! name in place of a variant's number. An absent field is absent, never null.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::DEPTH_MAX;

/// Why bytes were not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end in the middle of an item.
    #[error("the bytes end too early, at {at}")]
    Truncated {
        /// Offset in bytes.
        at: usize,
    },
    /// There is more after the item.
    #[error("{extra} bytes too many after the end")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// A spelling that this protocol never writes.
    #[error("not in canonical form at byte {at}: {what}")]
    NotCanonical {
        /// Offset in bytes.
        at: usize,
        /// Which rule it breaks.
        what: &'static str,
    },
    /// Nested deeper than any message of this protocol.
    #[error("nested deeper than {DEPTH_MAX} at byte {at}")]
    TooDeep {
        /// Offset in bytes.
        at: usize,
    },
    /// Larger than the limit for its kind.
    #[error("{size} bytes, at most {max} are allowed")]
    TooLarge {
        /// The size in bytes.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Canonical CBOR, but not the message that was expected.
    #[error("not the expected content: {0}")]
    Content(String),
}

/// Encodes a value of this protocol in packed form.
///
/// # Panics
/// Never for types of this crate: they have no map with foreign keys, no failing `Serialize`, and memory is the only sink.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    #[expect(
        clippy::expect_used,
        reason = "a type whose Serialize can fail is a fault of this crate, found by its own tests"
    )]
    serde_cbor::ser::to_vec_packed(value).expect("wire types always serialise")
}

/// Decodes a value that this protocol could have written. The caller has capped the size.
pub fn decode<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, DecodeError> {
    scan(bytes)?;
    let value: T = serde_cbor::from_slice(bytes).map_err(|error| DecodeError::Content(error.to_string()))?;
    let own = encode(&value);
    if own == bytes || extends(bytes, &own) {
        Ok(value)
    } else {
        Err(DecodeError::NotCanonical {
            at: 0,
            what: "another spelling of the same content",
        })
    }
}

/// Whether `foreign` is `own` with nothing but appended fields. Both have passed the scan, or were written by [`encode`].
fn extends(foreign: &[u8], own: &[u8]) -> bool {
    matches!(extends_item(foreign, 0, own, 0), Ok(Some((end, own_end))) if end == foreign.len() && own_end == own.len())
}

/// Compares one item; gives both ends, or `None` when they differ. Depth is bounded by the scan.
fn extends_item(foreign: &[u8], at: usize, own: &[u8], own_at: usize) -> Result<Option<(usize, usize)>, DecodeError> {
    let (major, argument, mut next) = head(foreign, at)?;
    let (own_major, own_argument, mut own_next) = head(own, own_at)?;
    if major != own_major || foreign.get(at) != own.get(own_at) && !matches!(major, MAJOR_MAP) {
        return Ok(None);
    }
    match major {
        MAJOR_ARRAY | MAJOR_MAP => {
            let items = |count: u64| {
                if major == MAJOR_MAP {
                    count.saturating_mul(2)
                } else {
                    count
                }
            };
            let (count, own_count) = (items(argument), items(own_argument));
            if count < own_count || major == MAJOR_ARRAY && count != own_count {
                return Ok(None);
            }
            for _ in 0..own_count {
                let Some(ends) = extends_item(foreign, next, own, own_next)? else {
                    return Ok(None);
                };
                (next, own_next) = ends;
            }
            for _ in own_count..count {
                next = skip_item(foreign, next)?;
            }
            Ok(Some((next, own_next)))
        }
        _ => {
            let end = skip_item(foreign, at)?;
            let own_end = skip_item(own, own_at)?;
            Ok((foreign.get(at..end) == own.get(own_at..own_end)).then_some((end, own_end)))
        }
    }
}

/// The end of the item at `at`.
fn skip_item(bytes: &[u8], at: usize) -> Result<usize, DecodeError> {
    let mut left = 1_u64;
    let mut next = at;
    while left > 0 {
        let (major, argument, end) = head(bytes, next)?;
        left = left - 1
            + match major {
                MAJOR_ARRAY => argument,
                MAJOR_MAP => argument.saturating_mul(2),
                _ => 0,
            };
        next = match major {
            MAJOR_BYTES | MAJOR_TEXT => end + usize::try_from(argument).map_err(|_| DecodeError::Truncated { at })?,
            _ => end,
        };
    }
    Ok(next)
}

/// One open array or map during the scan.
#[derive(Clone, Copy)]
struct Open {
    /// Items still to come; for a map keys and values count alone.
    left: u64,
    /// For a map: the last key, and whether the next item is a key.
    map: Option<(Option<u64>, bool)>,
}

const MAJOR_UNSIGNED: u8 = 0;
const MAJOR_NEGATIVE: u8 = 1;
const MAJOR_BYTES: u8 = 2;
const MAJOR_TEXT: u8 = 3;
const MAJOR_ARRAY: u8 = 4;
const MAJOR_MAP: u8 = 5;
const MAJOR_SIMPLE: u8 = 7;

/// Checks that the bytes are exactly one item in canonical form.
pub fn scan(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut stack = [Open { left: 0, map: None }; DEPTH_MAX];
    let mut depth = 0_usize;
    let mut at = 0_usize;
    loop {
        let start = at;
        let (major, argument, next) = head(bytes, at)?;
        at = next;
        note_key(&mut stack, depth, major, argument, start)?;
        match major {
            MAJOR_UNSIGNED | MAJOR_NEGATIVE | MAJOR_SIMPLE => {}
            MAJOR_BYTES | MAJOR_TEXT => {
                let length = usize::try_from(argument).map_err(|_| DecodeError::Truncated { at: start })?;
                at = at
                    .checked_add(length)
                    .filter(|end| *end <= bytes.len())
                    .ok_or(DecodeError::Truncated { at: start })?;
            }
            MAJOR_ARRAY | MAJOR_MAP => {
                // A nested item takes at least one byte, so a longer claim is refused before anything is counted down.
                let items = if major == MAJOR_MAP {
                    argument.checked_mul(2)
                } else {
                    Some(argument)
                };
                let left = items
                    .filter(|items| *items <= (bytes.len() - at) as u64)
                    .ok_or(DecodeError::Truncated { at: start })?;
                let slot = stack.get_mut(depth).ok_or(DecodeError::TooDeep { at: start })?;
                *slot = Open {
                    left,
                    map: (major == MAJOR_MAP).then_some((None, true)),
                };
                depth += 1;
            }
            _ => {
                return Err(DecodeError::NotCanonical {
                    at: start,
                    what: "a tag",
                });
            }
        }
        // Close what is complete; the item just read is counted when it opened its parent's slot.
        while let Some(open) = depth.checked_sub(1).and_then(|top| stack.get_mut(top)) {
            if open.left > 0 {
                break;
            }
            depth -= 1;
        }
        if depth == 0 {
            return if at == bytes.len() {
                Ok(())
            } else {
                Err(DecodeError::Trailing {
                    extra: bytes.len() - at,
                })
            };
        }
    }
}

/// Counts the item in its parent and, where it is a map key, checks the key.
fn note_key(
    stack: &mut [Open; DEPTH_MAX],
    depth: usize,
    major: u8,
    argument: u64,
    at: usize,
) -> Result<(), DecodeError> {
    let Some(parent) = depth.checked_sub(1).and_then(|top| stack.get_mut(top)) else {
        return Ok(());
    };
    parent.left -= 1;
    let Some((last, key_next)) = &mut parent.map else {
        return Ok(());
    };
    if *key_next {
        if major != MAJOR_UNSIGNED {
            return Err(DecodeError::NotCanonical {
                at,
                what: "a map key that is not a field number",
            });
        }
        if last.is_some_and(|last| last >= argument) {
            return Err(DecodeError::NotCanonical {
                at,
                what: "map keys out of order or twice",
            });
        }
        *last = Some(argument);
    }
    *key_next = !*key_next;
    Ok(())
}

/// Reads an item's major type and argument in its shortest form.
fn head(bytes: &[u8], at: usize) -> Result<(u8, u64, usize), DecodeError> {
    let initial = *bytes.get(at).ok_or(DecodeError::Truncated { at })?;
    let (major, info) = (initial >> 5, initial & 0x1f);
    if major == MAJOR_SIMPLE {
        return match info {
            20 | 21 => Ok((major, 0, at + 1)),
            22 => Err(DecodeError::NotCanonical {
                at,
                what: "null instead of an absent field",
            }),
            _ => Err(DecodeError::NotCanonical {
                at,
                what: "a float or an unknown simple value",
            }),
        };
    }
    let width = match info {
        0..=23 => return Ok((major, u64::from(info), at + 1)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => {
            return Err(DecodeError::NotCanonical {
                at,
                what: "an indefinite length",
            });
        }
    };
    let end = at + 1 + width;
    let raw = bytes.get(at + 1..end).ok_or(DecodeError::Truncated { at })?;
    let argument = raw.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    let shortest = match width {
        1 => argument > 23,
        2 => argument > 0xff,
        4 => argument > 0xffff,
        _ => argument > 0xffff_ffff,
    };
    if shortest {
        Ok((major, argument, end))
    } else {
        Err(DecodeError::NotCanonical {
            at,
            what: "a number longer than it needs to be",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        a: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        b: Option<i64>,
        c: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Inner {
        Unit,
        Fields { x: bool, y: crate::ids::Bytes },
    }

    #[test]
    fn a_value_survives_the_round_trip_and_absent_fields_stay_absent() {
        let value = Sample {
            a: 24,
            b: None,
            c: vec![
                Inner::Unit,
                Inner::Fields {
                    x: true,
                    y: crate::ids::Bytes(vec![1, 2]),
                },
            ],
        };
        let bytes = encode(&value);
        assert_eq!(decode::<Sample>(&bytes), Ok(value));
        assert_eq!(
            bytes,
            [
                0xa2, 0x00, 0x18, 0x18, 0x02, 0x82, 0x00, 0xa1, 0x01, 0xa2, 0x00, 0xf5, 0x01, 0x42, 1, 2
            ]
        );
    }

    #[test]
    fn other_spellings_of_the_same_value_are_refused() {
        let cases: [(&[u8], &str); 9] = [
            (&[0x18, 0x05], "number longer"),
            (&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], "number longer"),
            (&[0x9f, 0x01, 0xff], "indefinite"),
            (&[0xa2, 0x01, 0x00, 0x00, 0x00], "out of order"),
            (&[0xa2, 0x01, 0x00, 0x01, 0x00], "twice"),
            (&[0xa1, 0x61, 0x61, 0x00], "field number"),
            (&[0xf6], "null"),
            (&[0xfb, 0, 0, 0, 0, 0, 0, 0, 0], "float"),
            (&[0xc0, 0x00], "tag"),
        ];
        for (bytes, wanted) in cases {
            let error = scan(bytes).unwrap_err().to_string();
            assert!(
                error.contains(wanted) || wanted == "twice" && error.contains("twice"),
                "{bytes:02x?}: {error}"
            );
        }
    }

    #[test]
    fn a_list_in_place_of_a_struct_and_a_name_in_place_of_a_number_are_refused() {
        assert!(decode::<Sample>(&[0x83, 0x01, 0x02, 0x80]).is_err());
        assert!(decode::<Inner>(&[0x64, b'U', b'n', b'i', b't']).is_err());
        assert_eq!(decode::<Inner>(&[0x00]), Ok(Inner::Unit));
    }

    #[test]
    fn appended_fields_are_ignored_wherever_they_stand() {
        let newer = [
            0xa3, 0x00, 0x05, 0x02, 0x81, 0xa1, 0x01, 0xa3, 0x00, 0xf4, 0x01, 0x40, 0x02, 0x81, 0x01, 0x18, 0x63, 0xa1,
            0x00, 0x07,
        ];
        assert_eq!(
            decode::<Sample>(&newer),
            Ok(Sample {
                a: 5,
                b: None,
                c: vec![Inner::Fields {
                    x: false,
                    y: crate::ids::Bytes(vec![])
                }]
            })
        );
    }

    #[test]
    fn bombs_are_refused_without_allocating() {
        assert!(matches!(scan(&vec![0x81; 100_000]), Err(DecodeError::TooDeep { .. })));
        assert!(matches!(
            scan(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Err(DecodeError::Truncated { .. })
        ));
        assert!(matches!(
            scan(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Err(DecodeError::Truncated { .. })
        ));
        assert!(matches!(
            scan(&[0x9a, 0x00, 0x01, 0x00, 0x00, 0x01]),
            Err(DecodeError::Truncated { .. })
        ));
        assert!(matches!(scan(&[]), Err(DecodeError::Truncated { at: 0 })));
        assert!(matches!(scan(&[0x01, 0x02]), Err(DecodeError::Trailing { extra: 1 })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = decode::<Vec<Vec<i64>>>(&bytes) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }

        #[test]
        fn one_changed_byte_never_panics_and_never_gives_another_spelling(a: u32, b: Option<i64>, at in 0usize..40, byte: u8) {
            let value = Sample { a, b, c: vec![Inner::Fields { x: false, y: crate::ids::Bytes(vec![9; 20]) }] };
            let mut bytes = encode(&value);
            let index = at % bytes.len();
            bytes[index] = byte;
            if let Ok(read) = decode::<Sample>(&bytes) {
                let again = encode(&read);
                prop_assert!(again == bytes || extends(&bytes, &again));
            }
        }
    }
}
