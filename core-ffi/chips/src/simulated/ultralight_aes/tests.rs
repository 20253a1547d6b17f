use super::*;

fn chip() -> UltralightAesChip {
    UltralightAesChip::factory(Uid([0x04, 0xAF, 0x6A, 0xC2, 0x45, 0x13, 0x00]))
}

fn bytes(answer: Answer) -> Vec<u8> {
    match answer {
        Answer::Bytes(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

/// Authenticates with the key as a reader does.
fn authenticate(chip: &mut UltralightAesChip, number: u8, key: Block) -> Result<Channel, Answer> {
    let key = AesKey::new(&key);
    let challenge = bytes(chip.frame(&[0x1A, number]));
    let rnd_b = key.decrypted(challenge[1..].try_into().unwrap());
    let rnd_a: Block = 0x5C4B_3A29_1807_F6E5_D4C3_B2A1_0918_2736_u128.to_be_bytes();
    let first = key.encrypted(rnd_a);
    let chained = u128::from_be_bytes(rotated(rnd_b)) ^ u128::from_be_bytes(first);
    let second = key.encrypted(chained.to_be_bytes());
    match chip.frame(&[&[0xAF][..], &first, &second].concat()) {
        Answer::Bytes(answer) => {
            assert_eq!(answer[1..], key.encrypted(rotated(rnd_a)));
            Ok(Channel::open(&key, rnd_a, rnd_b))
        }
        other => Err(other),
    }
}

#[test]
fn reading_rolls_over_inside_what_may_be_read() {
    let mut chip = chip();
    let uid = [chip.page(0), chip.page(1), chip.page(2)];
    assert_eq!(bytes(chip.frame(&[0x30, 0x3A]))[8..], [uid[0], uid[1]].concat());
    chip.set_page(PAGE_CFG0, [0, 0, 0, 3]);
    chip.set_page(PAGE_CFG1, [0x80, 5, 0, 0]);
    chip.power_off();
    assert_eq!(bytes(chip.frame(&[0x30, 2])), [uid[2], uid[0], uid[1], uid[2]].concat());
    assert_eq!(chip.frame(&[0x30, 3]), Answer::Nak(0));
    assert_eq!(
        chip.frame(&[0x30, 2]),
        Answer::Silence,
        "after a NAK it wants to be selected anew"
    );
}

#[test]
fn keys_are_stored_backwards_and_never_read() {
    let mut chip = chip();
    for (page, bytes) in (PAGE_KEY0..).zip([[15, 14, 13, 12], [11, 10, 9, 8], [7, 6, 5, 4], [3, 2, 1, 0]]) {
        let [b0, b1, b2, b3] = bytes;
        assert_eq!(chip.frame(&[0xA2, page, b0, b1, b2, b3]), Answer::Ack);
    }
    assert_eq!(bytes(chip.frame(&[0x30, PAGE_KEY0])), [0; 16]);
    assert!(
        authenticate(
            &mut chip,
            0,
            0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F_u128.to_be_bytes()
        )
        .is_ok()
    );
    assert_eq!(authenticate(&mut chip, 0, [0; 16]).err(), Some(Answer::Nak(0)));
}

#[test]
fn a_bad_mac_ends_the_session_in_silence() {
    let mut chip = chip();
    chip.set_page(PAGE_CFG0, [2, 0, 0, 8]);
    chip.power_off();
    let mut channel = authenticate(&mut chip, 0, [0; 16]).unwrap();
    let mac = channel.command_mac(&[0x60]);
    let answer = bytes(chip.frame(&[&[0x60][..], &mac].concat()));
    let (version, answer_mac) = answer.split_at(8);
    assert_eq!(answer_mac, channel.answer_mac(version));
    channel.advance();
    assert_eq!(
        chip.frame(&[&[0x60][..], &mac].concat()),
        Answer::Silence,
        "the MAC of before"
    );
    let right = channel.command_mac(&[0x60]);
    assert_eq!(chip.frame(&[&[0x60][..], &right].concat()), Answer::Silence, "too late");
    chip.power_off();
    assert_eq!(
        bytes(chip.frame(&[0x60])).len(),
        8,
        "an open frame on a chip without session"
    );
}

#[test]
fn locks_only_close() {
    let mut chip = chip();
    assert_eq!(chip.frame(&[0xA2, 2, 0, 0, 0xF0, 0]), Answer::Ack);
    assert_eq!(chip.frame(&[0xA2, 2, 0, 0, 0, 0]), Answer::Ack);
    assert_eq!(chip.page(2)[2], 0xF0);
    assert_eq!(chip.frame(&[0xA2, 4, 1, 2, 3, 4]), Answer::Nak(0));
    chip.power_off();
    assert_eq!(chip.frame(&[0xA2, PAGE_LOCK_KEYS, 0xE0, 0, 0, 0]), Answer::Ack);
    assert_eq!(chip.frame(&[0xA2, PAGE_KEY0, 1, 2, 3, 4]), Answer::Nak(0));
    chip.power_off();
    assert_eq!(chip.frame(&[0xA2, PAGE_CFG1, 0xC0, 5, 0, 0]), Answer::Ack);
    assert_eq!(chip.frame(&[0xA2, PAGE_CFG0, 0, 0, 0, 0]), Answer::Nak(0));
}

#[test]
fn counter_2_needs_a_session_once_its_bits_are_cleared() {
    let mut chip = chip();
    assert_eq!(
        chip.frame(&[0xA5, 2, 1, 0, 0, 0]),
        Answer::Ack,
        "the factory leaves it to anybody"
    );
    chip.set_page(PAGE_CFG1, [0xC0, 5, 0, 0]);
    chip.power_off();
    assert_eq!(chip.frame(&[0xA5, 2, 1, 0, 0, 0]), Answer::Nak(0));
    chip.power_off();
    assert_eq!(chip.frame(&[0x39, 2]), Answer::Nak(0));
    chip.power_off();
    authenticate(&mut chip, 0, [0; 16]).unwrap();
    assert_eq!(bytes(chip.frame(&[0x39, 2])), [1, 0, 0]);
    assert_eq!(
        chip.frame(&[0xA5, 2, 0xFF, 0xFF, 0xFF, 0]),
        Answer::Nak(4),
        "it never wraps"
    );
}

#[test]
fn failed_authentications_are_limited_for_each_key() {
    let mut chip = chip();
    chip.set_page(PAGE_CFG1, [0, 5, 2, 0]);
    chip.power_off();
    for _ in 0..2 {
        assert!(authenticate(&mut chip, 0, [1; 16]).is_err());
        chip.power_off();
    }
    assert_eq!(chip.frame(&[0x1A, 0]), Answer::Nak(4));
    chip.power_off();
    assert!(authenticate(&mut chip, 1, [0; 16]).is_ok());
}

#[test]
fn a_weak_page_reads_as_old_and_new_in_turn_until_it_is_written() {
    let mut chip = chip();
    chip.torn(&[0xA2, 8, 1, 2, 3, 4], Tear::Weak { new_first: true });
    let mut seen = || bytes(chip.frame(&[0x3A, 8, 8]));
    assert_eq!(
        [seen(), seen(), seen()],
        [vec![1, 2, 3, 4], vec![0; 4], vec![1, 2, 3, 4]]
    );
    assert_eq!(chip.frame(&[0xA2, 8, 9, 9, 9, 9]), Answer::Ack);
    assert_eq!(bytes(chip.frame(&[0x30, 8]))[..4], [9; 4]);
    assert_eq!(bytes(chip.frame(&[0x30, 8]))[..4], [9; 4]);
}

#[test]
fn a_worn_page_acknowledges_and_forgets() {
    let mut chip = chip();
    assert_eq!(chip.frame(&[0xA2, 8, 0xFF, 1, 2, 3]), Answer::Ack);
    chip.wear(8, [0x0F, 0, 0, 1]);
    assert_eq!(chip.page(8), [0xFF, 1, 2, 3], "what stands there stays");
    assert_eq!(chip.frame(&[0xA2, 8, 0xFF, 1, 2, 5]), Answer::Ack);
    assert_eq!(chip.page(8), [0xF0, 1, 2, 4]);
}
