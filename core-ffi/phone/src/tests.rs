//! The phone over screens as the terminal gives them, with the sample festival's configuration.

use std::sync::Arc;

use fixtures::sample;
use shared_protocol::catalogue::ArticleKind;
use shared_protocol::config::Config;
use shared_protocol::currency::Foreign;
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::{Amount, ArticleId, OrderId, StaffId, TillId};
use terminal::screen::{self, CartKind, CartView, Pill, Registering, Screen, TipView};
use terminal::{Action, Pin};

use crate::notice::{DoneKind, Notice};
use crate::touch::{Place, Touch};
use crate::view::{Alarm, CheckKind, CheckState, HomeTile, Language, Method, Page, PillState, TipOffer};
use crate::{Build, DeviceState, Effect, Event, Phone};

const BAR: TillId = TillId(201);
const BARKEEPER: StaffId = StaffId(201);
const TOP_UP: TillId = TillId(1_101);
const DESK: StaffId = StaffId(1_101);
const PILS: ArticleId = ArticleId(101);
const CUP: ArticleId = ArticleId(1);
const NOON_MS: i64 = 1_795_000_000_000;

struct Rig {
    phone: Phone,
    screen: Screen,
    config: Arc<Config>,
}

impl Rig {
    fn new(till: TillId) -> Self {
        let build = Build {
            app: "test".to_owned(),
            device: "test".to_owned(),
        };
        let config = Arc::new(sample::config());
        let screen = Screen {
            training: false,
            pill: Pill::Online,
            page: screen::Page::LoggedOut,
            till: Some(till),
            cashier: None,
            shift: None,
            config: Some(config.version),
            cart: None,
            parked: Vec::new(),
            notice: screen::Notice::None,
            drawer: None,
            history: Arc::default(),
            unsent: None,
            received: Vec::new(),
            fault: None,
            clock_ahead_min: Some(0),
        };
        let mut rig = Self {
            phone: Phone::new(build),
            screen,
            config,
        };
        rig.show(|_| {});
        rig
    }

    fn at_work(till: TillId, staff: StaffId) -> Self {
        let mut rig = Self::new(till);
        rig.show(|screen| {
            screen.cashier = Some(staff);
            screen.page = screen::Page::Sale;
        });
        rig.touch(Touch::BeginShift);
        rig
    }

    fn show(&mut self, change: impl FnOnce(&mut Screen)) {
        change(&mut self.screen);
        let event = Event::Screen(Arc::new(self.screen.clone()), Some(Arc::clone(&self.config)));
        assert!(self.phone.step(event).is_empty());
    }

    fn touch(&mut self, touch: Touch) -> Vec<Effect> {
        self.phone.step(Event::Touch(touch))
    }

    fn page(&self) -> Page {
        self.phone.view(NOON_MS).page
    }

    fn cart(&mut self, kind: CartKind, lines: &[(ArticleId, i32)], total: i64) {
        let cart = CartView {
            tip: None,
            kind,
            lines: lines
                .iter()
                .map(|(article, quantity)| CartLine {
                    article: *article,
                    quantity: *quantity,
                    free_price: None,
                })
                .collect(),
            total: Amount(total),
            deposits: Amount::ZERO,
            use_vouchers: true,
            settling: false,
            needed: Vec::new(),
            given: None,
            split: None,
        };
        self.show(|screen| screen.cart = Some(cart));
    }
}

fn acts(effects: &[Effect]) -> Vec<Action> {
    let act = |effect: &Effect| match effect {
        Effect::Act(action) => Some(*action),
        _ => None,
    };
    effects.iter().filter_map(act).collect()
}

#[test]
fn whoever_logs_in_sees_first_whether_the_phone_is_fit_and_then_what_they_do() {
    let mut rig = Rig::new(BAR);
    assert!(matches!(rig.page(), Page::Login(_)));
    rig.show(|screen| {
        screen.cashier = Some(BARKEEPER);
        screen.page = screen::Page::Sale;
    });
    let Page::ShiftCheck(check) = rig.page() else {
        panic!("{:?}", rig.page())
    };
    assert!(check.ready);
    rig.touch(Touch::BeginShift);
    // Who only sells is at the tiles at once; all else is behind the home page.
    assert!(matches!(rig.page(), Page::Sale(_)));
    rig.touch(Touch::Open { place: Place::Home });
    let Page::Home { tiles } = rig.page() else {
        panic!("{:?}", rig.page())
    };
    assert!(
        tiles.contains(&HomeTile::Sale) && tiles.contains(&HomeTile::ShiftEnd) && !tiles.contains(&HomeTile::TopUp)
    );
    let desk = Rig::at_work(TOP_UP, DESK);
    assert!(
        matches!(desk.page(), Page::Home { tiles } if tiles.contains(&HomeTile::TopUp) && tiles.contains(&HomeTile::Band))
    );
}

#[test]
fn a_phone_that_cannot_read_wristbands_says_so_and_does_not_begin() {
    let mut rig = Rig::new(BAR);
    rig.phone.step(Event::Device(DeviceState {
        nfc: false,
        ..DeviceState::default()
    }));
    rig.show(|screen| {
        screen.cashier = Some(BARKEEPER);
        screen.page = screen::Page::Sale;
    });
    assert!(matches!(rig.page(), Page::ShiftCheck(check) if !check.ready));
}

#[test]
fn a_clock_that_is_off_is_an_alarm_and_one_that_was_never_compared_is_not_called_good() {
    let mut rig = Rig::new(BAR);
    let checked = |rig: &Rig| {
        let Page::ShiftCheck(check) = rig.page() else {
            panic!("{:?}", rig.page())
        };
        let clock = check.checks.iter().find(|check| check.what == CheckKind::Clock);
        clock.map(|check| (check.state, check.number)).unwrap()
    };
    let mut at = |ahead| {
        rig.show(|screen| {
            screen.cashier = Some(BARKEEPER);
            screen.page = screen::Page::Sale;
            screen.clock_ahead_min = ahead;
        });
        (checked(&rig), rig.phone.view(NOON_MS).frame.alarms)
    };
    assert_eq!(at(None), ((CheckState::Look, None), vec![]));
    assert_eq!(at(Some(-1)), ((CheckState::Good, Some(-1)), vec![]));
    let alarm = Alarm::Clock { minutes: 7 };
    assert_eq!(at(Some(7)), ((CheckState::Look, Some(7)), vec![alarm]));
}

#[test]
fn after_a_start_the_shift_goes_on_without_a_check() {
    let mut rig = Rig::new(BAR);
    let screen = Screen {
        cashier: Some(BARKEEPER),
        page: screen::Page::Sale,
        ..rig.screen.clone()
    };
    rig.phone = Phone::new(Build {
        app: "test".to_owned(),
        device: "test".to_owned(),
    });
    rig.phone
        .step(Event::Screen(Arc::new(screen), Some(Arc::clone(&rig.config))));
    assert!(matches!(rig.page(), Page::Sale(_)));
}

#[test]
fn a_tile_adds_a_cup_comes_back_and_a_price_is_asked_for() {
    let mut rig = Rig::at_work(BAR, BARKEEPER);
    let tile = |article: ArticleId| Touch::Tile {
        article: i64::from(article.0),
    };
    assert_eq!(
        acts(&rig.touch(tile(PILS))),
        [Action::Add {
            article: PILS,
            count: 1
        }]
    );
    assert_eq!(acts(&rig.touch(tile(CUP))), [Action::Return { article: CUP, count: 1 }]);
    assert_eq!(rig.config.articles[&CUP].kind, ArticleKind::Deposit);
    assert!(rig.touch(Touch::Tile { article: -1 }).is_empty());
    assert!(rig.touch(Touch::Tile { article: 77_777 }).is_empty());
    let free = rig.config.articles.values().find(|article| article.price.is_none());
    let free = free.expect("the sample has an article without a price").id;
    assert!(rig.touch(tile(free)).is_empty());
    assert!(matches!(rig.page(), Page::FreePrice(pad) if !pad.ready));
    for digit in [4, 5, 0] {
        rig.touch(Touch::Digit { digit });
    }
    assert!(matches!(rig.page(), Page::FreePrice(pad) if pad.typed == 450 && pad.ready));
    let price = Amount(450);
    assert_eq!(
        acts(&rig.touch(Touch::Enter)),
        [Action::FreePrice { article: free, price }]
    );
    assert!(matches!(rig.page(), Page::Sale(_)));
}

#[test]
fn the_tile_of_tips_asks_the_guest_and_another_amount_is_typed() {
    let mut rig = Rig::at_work(BAR, BARKEEPER);
    let tile = Touch::Tile {
        article: i64::from(sample::TIP.0),
    };
    // Without a cart somebody gives a tip and nothing else.
    assert!(rig.touch(tile.clone()).is_empty());
    assert!(matches!(rig.page(), Page::FreePrice(_)));
    rig.touch(Touch::Back);
    rig.cart(CartKind::Sale, &[(PILS, 1)], 650);
    let shown = |given: i64, offers: &[i64]| TipView {
        article: sample::TIP,
        given: Amount(given),
        offers: offers.iter().copied().map(Amount).collect(),
    };
    let tip = shown(0, &[50, 100, 200]);
    rig.show(|screen| screen.cart.as_mut().unwrap().tip = Some(tip));
    assert!(rig.touch(tile).is_empty());
    let offers = |rig: &Rig| match rig.page() {
        Page::Cart(page) => (page.for_guest, page.tip.map(|tip| (tip.given, tip.offers))),
        other => panic!("{other:?}"),
    };
    let offer = |amount, makes| TipOffer { amount, makes };
    let all = vec![offer(50, Some(700)), offer(100, None), offer(200, None)];
    assert_eq!(offers(&rig), (true, Some((0, all))));
    let amount = Amount(50);
    assert_eq!(acts(&rig.touch(Touch::Tip { amount: 50 })), [Action::Tip { amount }]);
    // What a deposit leaves there is said as that.
    rig.cart(CartKind::Sale, &[(CUP, -2)], -400);
    let left = shown(0, &[400]);
    rig.show(|screen| screen.cart.as_mut().unwrap().tip = Some(left));
    assert_eq!(offers(&rig).1, Some((0, vec![offer(400, Some(0))])));
    rig.touch(Touch::TypeTip);
    assert!(matches!(rig.page(), Page::FreePrice(_)));
    for digit in [3, 0, 0] {
        rig.touch(Touch::Digit { digit });
    }
    let (article, price) = (sample::TIP, Amount(300));
    assert_eq!(acts(&rig.touch(Touch::Enter)), [Action::FreePrice { article, price }]);
    assert!(matches!(rig.page(), Page::Cart(page) if page.for_guest));
    // What a wristband may have paid already stays as it is.
    rig.show(|screen| screen.cart.as_mut().unwrap().settling = true);
    assert_eq!(offers(&rig).1, None);
}

#[test]
fn the_lines_of_a_cart_add_up_to_what_is_paid() {
    let mut rig = Rig::at_work(BAR, BARKEEPER);
    // Three beers with cups, and one cup comes back.
    rig.cart(CartKind::Sale, &[(PILS, 3), (CUP, -1)], 3 * 650 - 200);
    rig.touch(Touch::Open { place: Place::Cart });
    let Page::Cart(page) = rig.page() else {
        panic!("{:?}", rig.page())
    };
    let lines: Vec<_> = page.lines.iter().map(|line| (line.total, line.deposit)).collect();
    assert_eq!(lines, [(Some(1_950), 600), (Some(-200), 0)]);
    let all: i64 = page.lines.iter().filter_map(|line| line.total).sum();
    assert_eq!(all, page.cart.total);
}

#[test]
fn a_cart_that_was_given_up_comes_back_whole() {
    let mut rig = Rig::at_work(BAR, BARKEEPER);
    rig.cart(CartKind::Sale, &[(PILS, 3), (CUP, -2)], 1_550);
    assert_eq!(acts(&rig.touch(Touch::Clear)), [Action::Clear]);
    rig.show(|screen| screen.cart = None);
    assert_eq!(
        acts(&rig.touch(Touch::Restore)),
        [
            Action::Add {
                article: PILS,
                count: 3
            },
            Action::Return { article: CUP, count: 2 }
        ]
    );
    // Once only.
    assert!(rig.touch(Touch::Restore).is_empty());
}

#[test]
fn money_in_opens_its_own_page_counts_the_change_and_is_given_up_by_going_back() {
    let mut rig = Rig::at_work(TOP_UP, DESK);
    rig.touch(Touch::Open { place: Place::TopUp });
    rig.touch(Touch::Preset { amount: 2_000 });
    let top_up = Action::TopUp {
        amount: Amount(2_000),
        method: TenderKind::Cash,
    };
    assert_eq!(acts(&rig.touch(Touch::TopUp { method: Method::Cash })), [top_up]);
    let kind = CartKind::TopUp {
        method: TenderKind::Cash,
    };
    rig.cart(kind.clone(), &[], 2_000);
    rig.touch(Touch::Given { amount: 5_000 });
    let Page::TopUp(page) = rig.page() else {
        panic!("{:?}", rig.page())
    };
    let open = page.open.expect("a top-up is open");
    assert_eq!((open.change, open.amount), (Some(3_000), 2_000));
    assert_eq!(
        open.pieces.iter().map(|piece| piece.worth).collect::<Vec<_>>(),
        [2_000, 1_000]
    );
    // Another amount instead of the one that is open.
    rig.touch(Touch::Preset { amount: 3_000 });
    assert_eq!(
        acts(&rig.touch(Touch::TopUp { method: Method::Card })).first(),
        Some(&Action::Clear)
    );
    assert_eq!(acts(&rig.touch(Touch::Back)), [Action::Clear]);
    rig.show(|screen| screen.cart = None);
    assert!(matches!(rig.page(), Page::Home { .. }));
    // What may be on a wristband already is not given up.
    rig.cart(kind, &[], 2_000);
    rig.show(|screen| {
        if let Some(cart) = &mut screen.cart {
            cart.settling = true;
        }
    });
    assert!(rig.touch(Touch::Back).is_empty());
    assert!(matches!(rig.page(), Page::TopUp(_)));
}

#[test]
fn cash_of_another_currency_has_its_page_where_the_event_takes_any() {
    let asset = i32::from(sample::FRANC.0);
    let given = |amount| Foreign {
        asset: sample::FRANC,
        amount: Amount(amount),
    };
    let mut rig = Rig::at_work(TOP_UP, DESK);
    rig.touch(Touch::Open { place: Place::TopUp });
    assert!(matches!(rig.page(), Page::TopUp(page) if !page.foreign));
    rig.config = Arc::new(sample::config_with_currencies());
    rig.show(|_| {});
    assert!(matches!(rig.page(), Page::TopUp(page) if page.foreign));
    rig.touch(Touch::Open { place: Place::Foreign });
    for digit in [5, 0, 0, 0] {
        rig.touch(Touch::Digit { digit });
    }
    let Page::Foreign(page) = rig.page() else {
        panic!("{:?}", rig.page())
    };
    assert_eq!((page.total, page.typed, page.currencies.len()), (None, 5_000, 2));
    let francs = &page.currencies[0];
    assert_eq!(
        (francs.code.as_str(), francs.worth, francs.needed),
        ("CHF", Some(5_350), None)
    );
    let top_up = Action::TopUpForeign {
        given: given(5_000),
        amount: None,
    };
    assert_eq!(acts(&rig.touch(Touch::TopUpForeign { asset, amount: 5_000 })), [top_up]);
    assert!(matches!(rig.page(), Page::TopUp(_)));
    // A sale says what is needed, and what goes back of notes a guest may give.
    let mut rig = Rig::at_work(BAR, BARKEEPER);
    rig.config = Arc::new(sample::config_with_currencies());
    rig.cart(CartKind::Sale, &[(CUP, 1)], 1_400);
    assert!(matches!(rig.page(), Page::Sale(page) if page.cart.as_ref().is_some_and(|cart| !cart.foreign)));
    rig.show(|screen| {
        if let Some(cart) = &mut screen.cart {
            cart.needed = vec![given(1_309)];
        }
    });
    assert!(matches!(rig.page(), Page::Sale(page) if page.cart.as_ref().is_some_and(|cart| cart.foreign)));
    rig.touch(Touch::Open { place: Place::Foreign });
    rig.touch(Touch::Digit { digit: 9 });
    let Page::Foreign(page) = rig.page() else {
        panic!("{:?}", rig.page())
    };
    let francs = &page.currencies[0];
    assert_eq!(
        (page.total, francs.needed, francs.worth),
        (Some(1_400), Some(1_309), None)
    );
    assert_eq!((francs.offers[1].given, francs.offers[1].change), (2_000, 740));
    assert_eq!(
        acts(&rig.touch(Touch::PayForeign { asset, amount: 2_000 })),
        [Action::PayForeign(given(2_000))]
    );
    rig.show(|screen| screen.cart = None);
    assert!(matches!(rig.page(), Page::Sale(_)), "the page goes with its cart");
    assert!(
        rig.touch(Touch::PayForeign {
            asset: -1,
            amount: 2_000
        })
        .is_empty()
    );
}

#[test]
fn cash_of_another_currency_is_handed_in_from_the_end_of_the_shift() {
    let mut rig = Rig::at_work(TOP_UP, DESK);
    rig.touch(Touch::Open { place: Place::ShiftEnd });
    assert!(
        matches!(rig.page(), Page::ShiftEnd(page) if !page.foreign),
        "the event takes none"
    );
    rig.config = Arc::new(sample::config_with_currencies());
    rig.show(|_| {});
    assert!(matches!(rig.page(), Page::ShiftEnd(page) if page.foreign));
    rig.touch(Touch::Open { place: Place::HandIn });
    for digit in [5, 0, 0, 0] {
        rig.touch(Touch::Digit { digit });
    }
    let Page::Foreign(page) = rig.page() else {
        panic!("{:?}", rig.page())
    };
    assert_eq!((page.total, page.hand_in, page.typed), (None, true, 5_000));
    let given = Foreign {
        asset: sample::FRANC,
        amount: Amount(5_000),
    };
    let touch = Touch::HandIn {
        asset: page.currencies[0].asset,
        amount: 5_000,
    };
    assert_eq!(acts(&rig.touch(touch)), [Action::HandIn(given)]);
    rig.show(|screen| {
        let done = screen::Done::of(screen::DoneKind::HandedIn(given), Amount(-5_350), 0);
        screen.notice = screen::Notice::Done(Box::new(done));
    });
    let kind = DoneKind::HandedIn {
        code: "CHF".to_owned(),
        amount: 5_000,
    };
    let said = rig.phone.view(NOON_MS).notice;
    assert!(matches!(&said, Notice::Done(done) if done.kind == kind), "{said:?}");
    rig.touch(Touch::Back);
    assert!(matches!(rig.page(), Page::ShiftEnd(_)));
}

#[test]
fn a_pin_is_typed_blind_and_given_to_the_terminal_alone() {
    let mut rig = Rig::new(BAR);
    rig.show(|screen| {
        screen.notice = screen::Notice::PinWanted {
            staff: StaffId(9_001),
            left: 5,
            wrong: false,
            checking: false,
        };
    });
    for digit in [0, 3, 5, 7] {
        rig.touch(Touch::Digit { digit });
    }
    let view = rig.phone.view(NOON_MS);
    let Page::Login(login) = &view.page else {
        panic!("{view:?}")
    };
    assert_eq!(login.pin.as_ref().map(|pin| pin.digits), Some(4));
    assert!(!format!("{view:?}{:?}", rig.phone).contains("0357"));
    assert_eq!(
        acts(&rig.touch(Touch::Enter)),
        [Action::Pin(Pin::typed("0357").expect("four digits are a PIN"))]
    );
}

#[test]
fn the_screen_speaks_as_its_cashier_reads_until_somebody_chooses() {
    let mut rig = Rig::at_work(TillId(202), StaffId(202));
    assert_eq!(rig.phone.language(), Language::English);
    rig.touch(Touch::Speak {
        language: Language::German,
    });
    assert_eq!(rig.phone.language(), Language::German);
    rig.show(|screen| screen.cashier = Some(BARKEEPER));
    assert_eq!(rig.phone.language(), Language::German);
    rig.show(|screen| screen.cashier = Some(StaffId(202)));
    assert_eq!(rig.phone.language(), Language::English);
}

#[test]
fn the_pill_asks_for_attention_when_it_is_long_or_much_and_is_online_only_with_nothing_unsent() {
    let mut rig = Rig::at_work(BAR, BARKEEPER);
    let state = |rig: &Rig| rig.phone.view(NOON_MS).frame.pill.state;
    assert_eq!(state(&rig), PillState::Online);
    let since = |minutes: i64| u64::try_from(NOON_MS - minutes * 60_000).ok();
    for (entries, minutes, wanted) in [
        (3, 1, PillState::Offline),
        (3, 15, PillState::Attention),
        (100, 0, PillState::Attention),
    ] {
        rig.show(|screen| {
            screen.pill = Pill::Offline {
                entries,
                since_ms: since(minutes),
                refused: None,
            };
        });
        assert_eq!(state(&rig), wanted);
    }
    rig.show(|screen| screen.page = screen::Page::Locked);
    assert_eq!(state(&rig), PillState::Stopped);
}

#[test]
fn a_registration_code_is_taken_while_one_is_wanted_and_never_later() {
    let mut rig = Rig::new(BAR);
    let code = shared_protocol::invitation::Invitation {
        slot: shared_protocol::SlotId([7; 16]),
        secret: [9; 16],
        server: "wss://festival.example:8450/terminal".to_owned(),
        config_key: None,
        authority: None,
    };
    let scanned = || Touch::Scanned { text: code.text() };
    assert!(rig.touch(scanned()).is_empty());
    rig.show(|screen| screen.page = screen::Page::Unregistered(Registering::Waiting));
    assert!(
        rig.touch(Touch::Scanned {
            text: "foreign".to_owned()
        })
        .is_empty()
    );
    assert!(matches!(rig.touch(scanned()).as_slice(), [Effect::Register { server, .. }] if *server == code.server));
}

#[test]
fn a_receipt_carries_its_order_until_the_server_has_it_and_practice_gives_none() {
    let mut rig = Rig::at_work(BAR, BARKEEPER);
    let server = "wss://festival.example:8450/terminal".to_owned();
    let build = Build {
        app: "test".to_owned(),
        device: "test".to_owned(),
    };
    rig.phone = Phone::new(build).at_server(Some(server));
    rig.show(|_| {});
    rig.touch(Touch::BeginShift);
    let past = |sent, slip: Option<&str>| screen::PastOrder {
        order: OrderId([7; 16]),
        kind: OrderKind::Sale,
        total: Amount(650),
        at_ms: 0,
        tag: None,
        tender: None,
        taken_back: false,
        cancellable: true,
        sent,
        slip: slip.map(Into::into),
    };
    let plain = format!("https://festival.example:8450/receipt/{}", OrderId([7; 16]));
    for (sent, slip, link) in [
        (false, None, plain.clone()),
        (false, Some("c2xpcA"), format!("{plain}?slip=c2xpcA")),
        (true, None, plain),
    ] {
        rig.show(|screen| screen.history = Arc::new(vec![past(sent, slip)]));
        rig.touch(Touch::Receipt {
            order: OrderId([7; 16]).to_string(),
        });
        let Page::Receipt(page) = rig.page() else {
            panic!("no receipt but {:?}", rig.page())
        };
        assert_eq!((page.link, page.sent, page.carried), (Some(link), sent, slip.is_some()));
    }
    rig.show(|screen| screen.training = true);
    assert!(matches!(rig.page(), Page::Receipt(page) if page.link.is_none() && !page.carried));
}

#[test]
fn a_view_is_given_out_once_and_each_new_one_is_newer() {
    let mut rig = Rig::new(BAR);
    let first = rig.phone.changed_view(NOON_MS).expect("the first view");
    assert_eq!(rig.phone.changed_view(NOON_MS + 1), None);
    rig.touch(Touch::Open { place: Place::Device });
    let second = rig.phone.changed_view(NOON_MS).expect("another page");
    assert!(second.serial > first.serial);
}

#[test]
fn every_touch_on_every_page_is_taken_by_somebody_logged_out_without_an_act_that_books() {
    let mut rig = Rig::new(BAR);
    for place in [
        Place::Sale,
        Place::TopUp,
        Place::PayOut,
        Place::Band,
        Place::History,
        Place::ShiftEnd,
    ] {
        assert!(rig.touch(Touch::Open { place }).is_empty());
        assert!(matches!(rig.page(), Page::Login(_)), "{place:?}");
    }
    for place in [
        Place::Sync,
        Place::Device,
        Place::Guide,
        Place::Evacuation,
        Place::Training,
    ] {
        rig.touch(Touch::Open { place });
        assert!(!matches!(rig.page(), Page::Login(_)), "{place:?}");
        rig.touch(Touch::Back);
    }
    assert_eq!(rig.phone.view(NOON_MS).notice, Notice::None);
}
