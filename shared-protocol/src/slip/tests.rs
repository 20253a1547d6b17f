use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::crypto::{Ed25519Signer, Signer as _};
use crate::ids::{ArticleId, TagId};
use crate::order::{LineKind, Permission, VoucherUse};
use crate::tax::{TaxKey, TaxRate};
use crate::wristband::{PurseMove, PurseTotals};

const TERMINAL: TerminalId = TerminalId([0x7e; 16]);
const ORDER: OrderId = OrderId([0x0d; 16]);
const TAG: [u8; 7] = [0x04, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6];

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32]).unwrap()
}

fn line(article: u32, quantity: i32, cents: i64) -> Line {
    Line {
        kind: LineKind::Goods,
        article: ArticleId(article),
        quantity,
        unit_price: Amount(cents),
        tax: TaxKey::GENERAL,
        rate: TaxRate(1_900),
        vouchers: None,
    }
}

/// A sale from a purse, with all that no receipt shows.
fn sale(lines: Vec<Line>) -> Order {
    let tag = TagId::from_slice(&TAG);
    let paid = Amount::sum(lines.iter().map(|line| line.total().unwrap())).unwrap();
    let tender = Tender {
        kind: TenderKind::Wristband,
        amount: paid,
        permission: Permission::Chip,
        tag,
        hold: None,
        known_balance: Some(Amount(7_777)),
        known_age_s: Some(60),
        voucher: None,
        foreign: None,
    };
    Order {
        cashier: StaffId(9_001),
        session: SessionId([0x5e; 16]),
        cart: CartId([0xca; 16]),
        organisation: OrganisationId([0x01; 16]),
        tenders: vec![tender],
        lines,
        holder: tag,
        purse: Some(PurseMove {
            batch: 5,
            before: PurseTotals::default(),
            after: PurseTotals::default(),
            record: None,
        }),
        ..shown().order(ORDER)
    }
}

fn shown() -> Shown {
    Shown {
        kind: OrderKind::Sale,
        event: EventId([0x02; 16]),
        till: TillId(301),
        config: Version { generation: 2, rev: 17 },
        taxpayer: TaxpayerId(1),
        closed_at_ms: 1_815_000_000_000,
        open_for_ms: 4_200,
        lines: vec![line(101, 2, 450)],
        tenders: vec![ShownTender {
            kind: TenderKind::Wristband,
            amount: Amount(900),
            voucher: None,
            foreign: None,
        }],
        reverses: None,
        replaced: None,
    }
}

fn body(shown: Shown) -> Body {
    Body {
        epoch: 1,
        seq: 2_345,
        link: Hash32([9; 32]),
        shown,
    }
}

fn text(shown: Shown) -> String {
    let unsigned = Unsigned::new(TERMINAL, ORDER, &body(shown));
    let signature = signer(1).sign(&unsigned.message()).unwrap();
    unsigned.signed(signature).unwrap()
}

#[test]
fn a_slip_says_what_its_terminal_said_of_this_order_and_holds_for_no_other() {
    let slip = Slip::read(&text(shown())).unwrap();
    assert_eq!((slip.terminal(), slip.body()), (TERMINAL, &body(shown())));
    let key = signer(1).public_key();
    assert_eq!(slip.verify(ORDER, &key), Ok(()));
    assert!(slip.verify(OrderId([0x0e; 16]), &key).is_err());
    assert!(slip.verify(ORDER, &signer(2).public_key()).is_err());
}

#[test]
fn nothing_that_no_receipt_shows_is_in_a_slip() {
    let order = sale(vec![line(101, 2, 450)]);
    assert_eq!(Shown::of(&order, None), Some(shown()));
    let bytes = URL_SAFE_NO_PAD.decode(text(Shown::of(&order, None).unwrap())).unwrap();
    for hidden in [&TAG[..], &[0x5e; 16], &[0xca; 16], &encode(&Amount(7_777))] {
        assert!(!bytes.windows(hidden.len()).any(|part| part == hidden), "{hidden:02x?}");
    }
    assert!(shown().fits(&order, None));
    assert!(!shown().fits(&sale(vec![line(101, 3, 450)]), None));
}

#[test]
fn a_correction_shows_what_it_takes_back_and_a_till_that_forgot_it_says_nothing() {
    let old = sale(vec![line(101, 2, 450)]);
    let new = Order {
        kind: OrderKind::Correction,
        reverses: Some(ORDER),
        ..sale(vec![line(101, 1, 450)])
    };
    let full = Shown::of(&new, Some(Replaced::of(&old.lines, &old.tenders))).unwrap();
    assert_eq!(Slip::read(&text(full.clone())).unwrap().body().shown, full);
    assert_eq!(full.replaced_order().unwrap().lines, old.lines);
    assert!(full.fits(&new, Some(&old)));
    assert!(!full.fits(&new, Some(&new)) && !full.fits(&new, None));
    let bare = Shown::of(&new, None).unwrap();
    assert!(bare.fits(&new, Some(&old)) && bare.replaced_order().is_none());
    // A sale takes nothing back, whatever it is given.
    assert!(Shown::of(&old, full.replaced).unwrap().replaced.is_none());
}

#[test]
fn what_no_guest_is_handed_has_no_slip() {
    for kind in OrderKind::ALL {
        let reverses = matches!(kind, OrderKind::Cancel | OrderKind::Correction).then_some(ORDER);
        let order = Order {
            kind: *kind,
            reverses,
            ..sale(vec![line(101, 2, 450)])
        };
        assert_eq!(Shown::of(&order, None).is_some(), kind.is_for_a_guest(), "{kind:?}");
        let forged = Shown {
            kind: *kind,
            reverses,
            ..shown()
        };
        assert_eq!(Slip::read(&text(forged)).is_ok(), kind.is_for_a_guest(), "{kind:?}");
    }
    assert!(!OrderKind::Training.is_for_a_guest());
}

#[test]
fn more_than_an_order_may_have_is_refused() {
    let forged = [
        Shown {
            lines: vec![line(101, LINE_QUANTITY_MAX + 1, 450)],
            ..shown()
        },
        Shown {
            tenders: vec![shown().tenders[0]; ORDER_TENDERS_MAX + 1],
            ..shown()
        },
        Shown {
            reverses: Some(ORDER),
            ..shown()
        },
        Shown {
            replaced: Some(Replaced {
                lines: Vec::new(),
                tenders: Vec::new(),
            }),
            ..shown()
        },
    ];
    for forged in forged {
        assert_eq!(Slip::read(&text(forged)), Err(NotASlip));
    }
}

#[test]
fn other_texts_and_other_spellings_are_no_slip() {
    let good = text(shown());
    let bytes = URL_SAFE_NO_PAD.decode(&good).unwrap();
    let mut appended = bytes.clone();
    // A fourth field around the body, which the signature would not cover.
    appended[0] += 1;
    appended.extend([0x03, 0x01]);
    let appended = URL_SAFE_NO_PAD.encode(appended);
    let padded = format!("{good}=");
    let long = "A".repeat(SLIP_TEXT_MAX_BYTES + 4);
    for wrong in ["", "slip", "ü", &good[..good.len() - 4], &appended, &padded, &long] {
        assert_eq!(Slip::read(wrong), Err(NotASlip), "{wrong}");
    }
}

#[test]
fn a_slip_that_fits_no_code_is_left_out_of_the_address() {
    let unsigned = Unsigned::new(
        TERMINAL,
        ORDER,
        &body(Shown {
            lines: vec![line(70_000, 2, 450); 60],
            ..shown()
        }),
    );
    let signature = signer(1).sign(&unsigned.message()).unwrap();
    assert_eq!(unsigned.signed(signature), Err(TooLong));

    let base = "https://pay.example.org/receipt";
    let plain = format!("{base}/{ORDER}");
    let slip = text(shown());
    let long = Address::of(base, ORDER, Some(&slip));
    assert_eq!((long.text, long.has_slip), (format!("{plain}?slip={slip}"), true));
    assert_eq!(Address::of(base, ORDER, None).text, plain);
    let far = format!("https://{}.example.org/receipt", "a".repeat(60));
    let short = Address::of(&far, ORDER, Some(&"A".repeat(SLIP_TEXT_MAX_BYTES)));
    assert_eq!((short.text, short.has_slip), (format!("{far}/{ORDER}"), false));
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let kinds = prop::sample::select(LineKind::ALL.to_vec());
    let vouchers = prop::option::of((any::<u16>(), any::<u32>()));
    let one = (kinds, any::<u32>(), -10_000..=10_000_i32, any::<i64>(), vouchers).prop_map(
        |(kind, article, quantity, cents, vouchers)| Line {
            kind,
            vouchers: vouchers.map(|(asset, units)| VoucherUse {
                asset: AssetId(asset),
                units,
            }),
            ..line(article, quantity, cents)
        },
    );
    prop::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn a_slip_reads_back_whatever_was_sold(lines in lines(), closed_at_ms: u64, seq: u64, link: [u8; 32]) {
        let said = Body { epoch: 3, seq, link: Hash32(link), shown: Shown { closed_at_ms, lines, ..shown() } };
        let unsigned = Unsigned::new(TERMINAL, ORDER, &said);
        let signature = signer(1).sign(&unsigned.message()).unwrap();
        let slip = Slip::read(&unsigned.signed(signature).unwrap()).unwrap();
        prop_assert_eq!(slip.body(), &said);
        prop_assert_eq!(slip.verify(ORDER, &signer(1).public_key()), Ok(()));
    }

    #[test]
    fn no_flipped_bit_is_accepted(at: Index, bit in 0..8_u8) {
        let mut bytes = URL_SAFE_NO_PAD.decode(text(shown())).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let key = signer(1).public_key();
        let accepted = Slip::read(&URL_SAFE_NO_PAD.encode(bytes)).is_ok_and(|slip| {
            // A registered key belongs to one terminal: another terminal's name leads to another key.
            slip.verify(ORDER, &key).is_ok() && slip.terminal() == TERMINAL
        });
        prop_assert!(!accepted);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[A-Za-z0-9_-]{0,200}") {
        let _read = Slip::read(&text);
    }
}
