//! Who came and went at a till and what was practised there comes off as what it was, and moves nothing.

use std::time::Duration;

use core_ffi::TillInput;
use e2e::{Crewed, Server};
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::Amount;
use shared_protocol::order::{LineKind, OrderKind, Tender, TenderKind};
use terminal::Action;
use terminal::screen::{Page, Pill};

/// What a TSE was told of each of so many orders, in the order of the journal.
async fn told(server: &Server, orders: u64) -> Vec<(String, String)> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let mut reader = server.instance.reader().expect("a reader");
        let came_off = reader.signings_between(1, u64::MAX).expect("signings");
        if came_off.len() as u64 == orders {
            let end = |row: &store::SigningRow| {
                let transaction = reader.transaction(row.tse, row.transaction?).expect("a row")?;
                transaction.end.map(|end| (end.process_type, end.process_data))
            };
            return came_off.iter().map(end).map(|end| end.expect("it is signed")).collect();
        }
        assert!(tokio::time::Instant::now() < deadline, "{came_off:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_and_what_was_practised_in_it_are_told_to_the_tse() {
    let server = Server::start().await;
    let data = tempfile::tempdir().expect("a folder");
    let mut paper = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let desk = Crewed::switch_on(data.path(), &server);
    desk.register(&server, paper.till).await;
    let mut practised = paper.order(OrderKind::TopUp);
    practised.lines = vec![PaperTill::money_line(LineKind::TopUp, 1, 2_000)];
    practised.tenders = vec![Tender::plain(TenderKind::Cash, Amount(2_000))];
    practised.holder = Some(sample::wristband(1));
    desk.till.input(TillInput::Practised(Box::new(practised))).await;
    desk.wait_for(|screen| screen.pill == Pill::Online).await;
    assert_eq!(told(&server, 2).await.len(), 2);
    desk.act(Action::EndShift).await;
    desk.wait_for(|screen| screen.page == Page::LoggedOut).await;
    let told = told(&server, 3).await;
    let [begin, practice, end] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(begin.0, "SonstigerVorgang");
    assert!(begin.1.starts_with("Schichtbeginn, Bediener "), "{begin:?}");
    let training = "AVTraining^0.00_0.00_0.00_0.00_20.00^20.00:Bar";
    assert_eq!(*practice, ("Kassenbeleg-V1".to_owned(), training.to_owned()));
    assert_eq!(begin.1.replace("Schichtbeginn", "Schichtende"), end.1);
    assert_eq!(server.money(1), 0);
    desk.till.stop().await.expect("it ends in order");
    server.assert_books(3);
}
