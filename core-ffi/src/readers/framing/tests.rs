use super::*;

const GET_VERSION: [u8; 1] = [0x60];
const VERSION: [u8; 8] = [0x00, 0x04, 0x03, 0x01, 0x04, 0x00, 0x0F, 0x03];
const PLAIN_WRITE: [u8; 6] = [0xA2, 0x04, 1, 2, 3, 4];
const MACED_WRITE: [u8; 14] = [0xA2, 0x04, 1, 2, 3, 4, 8, 7, 6, 5, 4, 3, 2, 1];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn silent(answer: &Result<Vec<u8>, FieldFault>) -> bool {
    matches!(answer, Err(FieldFault::Silent))
}

fn refused(answer: &Result<Vec<u8>, FieldFault>) -> bool {
    matches!(answer, Err(FieldFault::Reader(_)))
}

#[test]
fn a_readers_name_chooses_its_framing() {
    for (name, framing) in [
        ("ACS ACR122U PICC Interface 00 00", Some(Framing::Acr122u)),
        ("ACS ACR122U 00 00", Some(Framing::Acr122u)),
        (
            "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00",
            Some(Framing::Direct),
        ),
        ("ACS ACR1252 1S CL Reader [ACR1252 Reader SAM] 00 01", None),
        (
            "ACS ACR1281 1S Dual Reader [ACR1281U-C1 PICC] 01 00",
            Some(Framing::Direct),
        ),
        ("ACS ACR1281 1S Dual Reader [ACR1281U-C1 ICC Reader] 00 00", None),
        (
            "Identiv uTrust 3700 F CL Reader [uTrust 3700 F CL Reader] 00 00",
            Some(Framing::PassThrough),
        ),
        (
            "Identive CLOUD 4700 F Dual Interface Reader [Contactless] 01 00",
            Some(Framing::PassThrough),
        ),
        ("SCM Microsystems Inc. SCL3711 00 00", Some(Framing::PassThrough)),
        (
            "HID Global OMNIKEY 5022 Smart Card Reader 00 00",
            Some(Framing::Transparent),
        ),
        ("Virtual PCD 00 00", Some(Framing::Transparent)),
    ] {
        assert_eq!(Framing::for_reader(name), framing, "{name}");
    }
}

#[test]
fn the_acr122u_passes_frames_through_its_pn532() {
    let framing = Framing::Acr122u;
    assert_eq!(framing.wrap(&GET_VERSION).unwrap(), hex("FF000000 03 D442 60"));
    assert_eq!(framing.wrap(&[0x1A, 0x00]).unwrap(), hex("FF000000 04 D442 1A00"));
    let answer = framing.unwrap(&GET_VERSION, &hex("D543 00 0004030104000F03 9000"));
    assert_eq!(answer.unwrap(), VERSION);
}

#[test]
fn the_acr122u_exchanges_a_plain_write_and_passes_one_with_a_mac() {
    let framing = Framing::Acr122u;
    assert_eq!(
        framing.wrap(&PLAIN_WRITE).unwrap(),
        hex("FF000000 09 D44001 A20401020304")
    );
    assert_eq!(
        framing.wrap(&MACED_WRITE).unwrap(),
        hex("FF000000 10 D442 A20401020304 0807060504030201")
    );
    assert_eq!(framing.unwrap(&PLAIN_WRITE, &hex("D541 00 9000")).unwrap(), [ACK]);
    assert!(matches!(
        framing.unwrap(&PLAIN_WRITE, &hex("D541 14 9000")),
        Err(FieldFault::Nak(0))
    ));
    // The same code says nothing certain of a frame that was passed through.
    assert!(silent(&framing.unwrap(&MACED_WRITE, &hex("D543 14 9000"))));
    let mac = framing.unwrap(&MACED_WRITE, &hex("D543 00 1122334455667788 9000"));
    assert_eq!(mac.unwrap(), hex("1122334455667788"));
}

#[test]
fn an_acr122u_that_got_no_whole_answer_leaves_open_what_the_chip_did() {
    let framing = Framing::Acr122u;
    for status in ["01", "02", "05", "0B"] {
        let answer = hex(&format!("D543 {status} 9000"));
        assert!(silent(&framing.unwrap(&GET_VERSION, &answer)), "{status}");
    }
    assert!(silent(&framing.unwrap(&GET_VERSION, &hex("6300"))));
    assert!(matches!(
        framing.unwrap(&GET_VERSION, &hex("D543 2B 9000")),
        Err(FieldFault::Gone)
    ));
    assert!(refused(&framing.unwrap(&GET_VERSION, &hex("D543 10 9000"))));
    // An answer to another command is no answer.
    assert!(refused(&framing.unwrap(&GET_VERSION, &hex("D541 00 9000"))));
}

#[test]
fn a_newer_acs_reader_takes_the_frame_as_it_is() {
    let framing = Framing::Direct;
    assert_eq!(framing.wrap(&GET_VERSION).unwrap(), hex("FF000000 01 60"));
    assert_eq!(framing.wrap(&PLAIN_WRITE).unwrap(), hex("FF000000 06 A20401020304"));
    assert_eq!(
        framing.unwrap(&GET_VERSION, &hex("0004030104000F03 9000")).unwrap(),
        VERSION
    );
    assert_eq!(framing.unwrap(&PLAIN_WRITE, &hex("0A 9000")).unwrap(), [ACK]);
    assert!(matches!(
        framing.unwrap(&PLAIN_WRITE, &hex("00 9000")),
        Err(FieldFault::Nak(0))
    ));
    assert!(matches!(
        framing.unwrap(&PLAIN_WRITE, &hex("05 9000")),
        Err(FieldFault::Nak(5))
    ));
    assert!(silent(&framing.unwrap(&PLAIN_WRITE, &hex("6300"))));
    assert!(silent(&framing.unwrap(&PLAIN_WRITE, &hex("6401"))));
    assert!(silent(&framing.unwrap(&PLAIN_WRITE, &hex("9000"))));
    assert!(refused(&framing.unwrap(&PLAIN_WRITE, &hex("6A81"))));
    assert!(refused(&framing.unwrap(&PLAIN_WRITE, &[])));
}

#[test]
fn a_transparent_session_begins_exchanges_and_ends_as_part_3_has_it() {
    let framing = Framing::Transparent;
    let opening: Vec<Vec<u8>> = framing.opening().iter().map(|apdu| apdu.to_vec()).collect();
    assert_eq!(opening, [hex("FFC20000 02 8100"), hex("FFC20002 04 8F020003")]);
    assert_eq!(framing.closing(), [hex("FFC20000 02 8200")]);
    assert_eq!(
        framing.wrap(&[0x30, 0x04]).unwrap(),
        hex("FFC20001 0B 5F4604A0860100 95023004 00")
    );
}

#[test]
fn a_transparent_answer_is_taken_from_its_data_objects() {
    let framing = Framing::Transparent;
    let answer = |objects: &str| framing.unwrap(&PLAIN_WRITE, &hex(objects));
    assert_eq!(
        answer("C003009000 920100 96020000 9708 0004030104000F03 9000").unwrap(),
        VERSION
    );
    // Four bits come without a checksum, which the reader may complain of.
    assert_eq!(answer("C003009000 920104 96020000 97010A 9000").unwrap(), [ACK]);
    assert_eq!(answer("C003009000 920104 96020100 97010A 9000").unwrap(), [ACK]);
    assert!(matches!(
        answer("C003009000 920104 970100 9000"),
        Err(FieldFault::Nak(0))
    ));
    // No answer of the chip, a broken one, none at all.
    assert!(silent(&answer("C003016401 9000")));
    assert!(silent(&answer("C003009000 96020100 9708 0004030104000F03 9000")));
    assert!(silent(&answer("C003009000 9000")));
    assert!(refused(&answer("C003026A81 9000")));
    assert!(refused(&answer("C003009000 97080004 9000")));
}

#[test]
fn an_identiv_answer_is_read_with_and_without_a_status_word() {
    let framing = Framing::PassThrough;
    assert_eq!(framing.wrap(&GET_VERSION).unwrap(), hex("FFEF0100 01 60"));
    for answer in ["0004030104000F03", "0004030104000F03 9000"] {
        assert_eq!(framing.unwrap(&GET_VERSION, &hex(answer)).unwrap(), VERSION);
    }
    for answer in ["0A", "0A 9000"] {
        assert_eq!(framing.unwrap(&PLAIN_WRITE, &hex(answer)).unwrap(), [ACK]);
    }
    assert!(matches!(
        framing.unwrap(&PLAIN_WRITE, &hex("00")),
        Err(FieldFault::Nak(0))
    ));
    assert!(silent(&framing.unwrap(&PLAIN_WRITE, &hex("6401"))));
    assert!(refused(&framing.unwrap(&PLAIN_WRITE, &hex("6D00"))));
}

#[test]
fn a_frame_that_fits_no_reader_is_refused_before_it_is_sent() {
    for framing in [
        Framing::Acr122u,
        Framing::Direct,
        Framing::Transparent,
        Framing::PassThrough,
    ] {
        assert!(refused(&framing.wrap(&[])));
        assert!(refused(&framing.wrap(&[0; FRAME_BYTES_MAX + 1])));
        let apdu = framing.wrap(&[0x55; FRAME_BYTES_MAX]).unwrap();
        assert!(
            apdu.windows(FRAME_BYTES_MAX)
                .any(|part| part == [0x55; FRAME_BYTES_MAX])
        );
    }
}

#[test]
fn no_answer_of_a_reader_brings_the_program_down() {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()
    };
    for round in 0..20_000_usize {
        let mut response: Vec<u8> = (0..round % 6).flat_map(|_| next()).collect();
        if round % 3 == 0 {
            response.extend([0x90, 0x00]);
        }
        for framing in [
            Framing::Acr122u,
            Framing::Direct,
            Framing::Transparent,
            Framing::PassThrough,
        ] {
            for frame in [&GET_VERSION[..], &PLAIN_WRITE, &MACED_WRITE] {
                if let Ok(answer) = framing.unwrap(frame, &response) {
                    assert!(!answer.is_empty() && answer.len() <= response.len().max(1));
                }
            }
        }
    }
}
