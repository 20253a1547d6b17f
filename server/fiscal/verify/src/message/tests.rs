use super::*;
use crate::algorithm::{Curve, Digest};
use crate::key::PublicKey;
use crate::time::TimeForm;

/// A message of a throw-away key that is used nowhere else, made by other software and checked by other software.
const FINISH: &str = "3081fd020102060904007f000703070101801146696e6973685472616e73616374696f6e810954494c4c2d303030318221\
    42656c65675e342e35305f372e30305f302e30305f302e30305f2d31312e35305e830e4b617373656e62656c65672d5631850101042082aa74de5385\
    6a1afd3b6d6702da887e7bce9e4e01b95ab075d55de7ad842870300c060a04007f0007010104010402010402046b00f9c90460453b0d5830c6588c80\
    933305d562d628e163692f7d4d5fe41fccd17d901a4024805219c725b893781e8714e22cb88f9e19bf89bbdd206d1cd163986a0d5f496885b85743fe\
    2365901e30540a130ff7f056b11e086ffa21c5d4572b7bceb368db";
/// Its public key.
const POINT: &str = "BK+ok1V99N1hB/s08CABTE7qtlwSl/io6lKAB7BId+eN3Skhhf5hDJDea8gHG1wuRb5baGz/bhLIOyfCLy4Q83NgVxL7DVq51DzSfvZY4qyc/\
    s2ZWGeyoZzUwOyXwxCuUw==";

fn bytes() -> Vec<u8> {
    let digits = FINISH.replace([' ', '\n'], "");
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// The message with some of its bytes replaced, and its outer length put right.
fn with(from: &[u8], to: &[u8]) -> Vec<u8> {
    let bytes = bytes();
    let content = &bytes[3..];
    let at = content.windows(from.len()).position(|window| window == from).unwrap();
    let content = [&content[..at], to, &content[at + from.len()..]].concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    match content.len() {
        0..0x80 => [&[0x30, length[1]], content.as_slice()].concat(),
        0x80..0x100 => [&[0x30, 0x81, length[1]], content.as_slice()].concat(),
        _ => [&[0x30, 0x82, length[0], length[1]], content.as_slice()].concat(),
    }
}

const DATA: &[u8] = b"\x82\x21Beleg^4.50_7.00_0.00_0.00_-11.50^";

#[test]
fn a_message_of_other_software_is_read_and_its_signature_holds() {
    use base64::Engine as _;
    let bytes = bytes();
    let message = Message::read(&bytes).unwrap();
    let Certified::Transaction {
        operation,
        client,
        process_data,
        process_type,
        number,
    } = &message.certified
    else {
        panic!("a transaction")
    };
    assert_eq!((*operation, *client, *number), (Operation::Finish, "TILL-0001", 1));
    assert_eq!(
        (process_data.as_slice(), *process_type),
        (&DATA[2..], &b"Kassenbeleg-V1"[..])
    );
    assert_eq!((message.version, message.counter), (2, 4));
    assert_eq!((message.time.seconds, message.time.form), (0x6b00_f9c9, TimeForm::Unix));
    assert_eq!(message.algorithm, Algorithm::Plain(Digest::Sha384));
    let point = base64::engine::general_purpose::STANDARD.decode(POINT).unwrap();
    let mut key = PublicKey::on(Curve::P384, &point).unwrap();
    assert_eq!(key.serial(), message.serial);
    assert!(key.verifies(&Digest::Sha384.of(message.signed), message.signature));
    assert!(!key.verifies(&Digest::Sha384.of(&message.signed[1..]), message.signature));
}

#[test]
fn data_in_parts_is_put_together_and_signed_as_it_stands() {
    let parts = b"\xa2\x80\x04\x06Beleg^\x04\x011\x00\x00";
    let changed = with(DATA, parts);
    let message = Message::read(&changed).unwrap();
    let Certified::Transaction { process_data, .. } = &message.certified else {
        panic!("a transaction")
    };
    assert_eq!(process_data, b"Beleg^1");
    assert!(message.signed.windows(parts.len()).any(|window| window == parts));
    // A part that is no octet string.
    let odd = with(DATA, b"\xa2\x80\x02\x01\x05\x00\x00");
    assert!(matches!(Message::read(&odd), Err(MessageFault::Part(_))));
}

#[test]
fn messages_of_the_system_audits_and_version_3_are_read() {
    let start = bytes()[3..]
        .windows(2)
        .position(|window| window == [0x80, 0x11])
        .unwrap()
        + 3;
    let end = bytes()
        .windows(4)
        .position(|window| window == [0x04, 0x20, 0x82, 0xaa])
        .unwrap();
    let certified = bytes()[start..end].to_vec();
    let kind = |arc| [&[0x03, 0x07, 0x01, arc][..], &certified].concat();
    let system = with(&kind(1), b"\x03\x07\x01\x02\x80\x08selfTest\x81\x03\x81\x01\xff");
    let message = Message::read(&system).unwrap();
    assert_eq!(
        message.certified,
        Certified::System {
            operation: Some("selfTest")
        }
    );
    // A field that later versions may bring; what it says is for its maker to read.
    let third = with(&kind(1), b"\x03\x07\x01\x02\x8a\x01\x05");
    assert_eq!(
        Message::read(&third).unwrap().certified,
        Certified::System { operation: None }
    );
    let third = with(&[0x02, 0x01, 0x02, 0x06], &[0x02, 0x01, 0x03, 0x06]);
    assert_eq!(Message::read(&third).unwrap().version, 3);
    let audit = with(&kind(1), b"\x03\x07\x01\x03");
    assert_eq!(
        Message::read(&audit),
        Err(MessageFault::part("das Feld der Audit-Daten", "the audit data"))
    );
    let bare = Message::read(&system).map(|message| message.counter);
    assert_eq!(bare, Ok(4));
}

#[test]
fn what_is_no_message_is_told_why() {
    let cut = &bytes()[..200];
    assert_eq!(Message::read(cut), Err(MessageFault::Encoding(TlvFault::Cut)));
    let longer = [bytes(), vec![0]].concat();
    assert_eq!(
        Message::read(&longer),
        Err(MessageFault::behind("der Nachricht", "the message"))
    );
    for (from, to) in [
        (&[0x02, 0x01, 0x02, 0x06][..], &[0x02, 0x01, 0x04, 0x06][..]),
        (b"FinishTransaction", b"FinishTransactiom"),
        (b"\x81\x09TILL-0001", b"\x81\x09TILL-000\xff"),
        (b"\x85\x01\x01", b"\x85\x01\x81"),
        (b"\x85\x01\x01", b""),
        (b"\x83\x0e", b"\x82\x0e"),
        (&[0x04, 0x20, 0x82, 0xaa], &[0x04, 0x1f, 0x82, 0xaa]),
        (&[0x02, 0x04, 0x6b, 0x00], &[0x17, 0x04, 0x6b, 0x00]),
    ] {
        assert!(Message::read(&with(from, to)).is_err(), "{to:02x?}");
    }
    let behind = with(&[0xb3, 0x68, 0xdb], &[0xb3, 0x68, 0xdb, 0x05, 0x00]);
    assert_eq!(
        Message::read(&behind),
        Err(MessageFault::behind("der Signatur", "the signature"))
    );
}
