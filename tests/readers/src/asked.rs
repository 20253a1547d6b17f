//! What is asked of every reader, whatever stands behind it.

use std::time::{Duration, Instant};

use chips::simulated::{Answer, UltralightAesChip, VirtualChip};
use chips::{Field, FieldFault, Selected};
use core_ffi::readers::{Happening, HardwareReader};
use shared_protocol::TagId;
use shared_protocol::purse::Uid;

use crate::secure::Secure;

/// The id of the wristband the tests hold.
pub const UID: Uid = Uid([0x04, 0x78, 0x2E, 0x21, 0x80, 0x1D, 0x80]);
/// What a factory sets every key to.
pub const FACTORY_KEY: [u8; 16] = [0; 16];

const VERSION: [u8; 8] = [0x00, 0x04, 0x03, 0x01, 0x04, 0x00, 0x0F, 0x03];
const ACK: [u8; 1] = [0x0A];
/// First page of the chips here that only an authenticated terminal may touch.
const PROTECTED: u8 = 0x10;

/// A wristband whose upper pages want an authentication and a MAC.
pub fn wristband() -> UltralightAesChip {
    let mut chip = UltralightAesChip::factory(UID);
    chip.set_page(0x29, [0x02, 0x00, 0x00, PROTECTED]);
    chip.set_page(0x2A, [0x80, 0x05, 0x00, 0x00]);
    chip.power_off();
    chip
}

/// Waits for the next happening that is not about readers coming and going.
pub fn next_on_table(reader: &mut dyn HardwareReader) -> Happening {
    loop {
        match reader.wait() {
            Happening::Plugged(_) | Happening::Unplugged { .. } => {}
            happening => return happening,
        }
    }
}

/// Waits for a chip, which must be the next that happens on the table.
pub fn next_chip(reader: &mut dyn HardwareReader) -> Selected {
    match next_on_table(reader) {
        Happening::Chip(selected) => selected,
        other => panic!("no chip but {other:?}"),
    }
}

/// Waits until what lay there has left, which must be the next that happens on the table.
pub fn next_left(reader: &mut dyn HardwareReader) {
    match next_on_table(reader) {
        Happening::Left => {}
        other => panic!("nothing has left but {other:?}"),
    }
}

/// Plain frames, 4-bit answers, refusals and silence come through as they are.
pub fn carries_plain_frames(field: &mut dyn Field) {
    assert_eq!(field.transceive(&[0x60]).unwrap(), VERSION);
    assert_eq!(field.transceive(&[0xA2, 0x04, 1, 2, 3, 4]).unwrap(), ACK);
    assert_eq!(field.transceive(&[0x30, 0x04]).unwrap()[..4], [1, 2, 3, 4]);

    // A refused WRITE is a refusal, and mutes the chip until it is selected anew.
    let refused = field.transceive(&[0xA2, PROTECTED, 1, 2, 3, 4]);
    assert!(matches!(refused, Err(FieldFault::Nak(0))), "{refused:?}");
    assert_eq!(field.reselect().unwrap().uid, UID.tag());
    assert_eq!(field.transceive(&[0x60]).unwrap(), VERSION);

    // A command that the chip does not know: silence.
    let silence = field.transceive(&[0x77]);
    assert!(matches!(silence, Err(FieldFault::Silent)), "{silence:?}");
    field.reselect().unwrap();
}

/// A session with MACs, as long as a payment: writes, reads back, and dies of one wrong byte. Gives how long the session took.
pub fn carries_a_session(field: &mut dyn Field) -> Duration {
    let began = Instant::now();
    let mut secure = Secure::open(field, FACTORY_KEY).unwrap();
    for page in PROTECTED..PROTECTED + 8 {
        let answer = secure.exchange(field, &[0xA2, page, page, 0x11, 0x22, 0x33]).unwrap();
        assert!(answer.is_empty(), "the MAC stands for the acknowledgement");
    }
    let read = secure.exchange(field, &[0x3A, PROTECTED, PROTECTED + 7]).unwrap();
    let written: Vec<u8> = (PROTECTED..PROTECTED + 8)
        .flat_map(|page| [page, 0x11, 0x22, 0x33])
        .collect();
    assert_eq!(read, written);
    assert_eq!(secure.exchange(field, &[0x60]).unwrap(), VERSION);
    let took = began.elapsed();

    // All of the user memory in one frame.
    let all = secure.exchange(field, &[0x3A, 0x04, 0x27]).unwrap();
    assert_eq!(all.len(), 144);
    // A plain frame is no part of it: the chip falls silent for good.
    for _ in 0..2 {
        let silence = field.transceive(&[0x60]);
        assert!(matches!(silence, Err(FieldFault::Silent)), "{silence:?}");
    }
    field.reselect().unwrap();
    assert_eq!(field.transceive(&[0x60]).unwrap(), VERSION);
    took
}

/// A chip with ISO-DEP that answers an APDU with its body and `91 00`, as chips of that family do.
pub struct Apdus;

impl VirtualChip for Apdus {
    fn selected(&self) -> Selected {
        Selected {
            uid: UID.tag(),
            atqa: [0x03, 0x44],
            sak: 0x20,
            ats: Some(vec![0x06, 0x75, 0x77, 0x81, 0x02, 0x80]),
        }
    }

    fn frame(&mut self, apdu: &[u8]) -> Answer {
        let body = apdu.get(5..).unwrap_or_default();
        Answer::Bytes([body, &[0x91, 0x00]].concat())
    }

    fn power_off(&mut self) {}
}

/// APDUs go to a chip with ISO-DEP as they are.
pub fn carries_apdus(selected: &Selected, field: &mut dyn Field) {
    assert_eq!(selected.sak, 0x20);
    let ats = selected.ats.as_deref().unwrap_or_default();
    assert!(ats.ends_with(&[0x80]), "its historical bytes: {ats:02X?}");
    let apdu = [0x90, 0x60, 0x00, 0x00, 0x03, 0xA2, 0x04, 0x01];
    assert_eq!(field.transceive(&apdu).unwrap(), [0xA2, 0x04, 0x01, 0x91, 0x00]);
    assert_eq!(field.reselect().unwrap().uid, selected.uid);
    assert_eq!(field.transceive(&apdu).unwrap(), [0xA2, 0x04, 0x01, 0x91, 0x00]);
}

/// The id as a till knows it.
pub fn tag() -> TagId {
    UID.tag()
}
