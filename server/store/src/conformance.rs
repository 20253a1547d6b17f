//! What every engine must do, as a program: each engine runs [`all`] and [`reopened`] in its own tests.
//!
//! Cases panic when the engine is wrong. They use nothing but the traits, real orders and the real fold, so that what passes here can be
//! booked on. [`Book`] is public because crash suites and benchmarks need the same orders.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a suite fails by panicking")]

mod book;
mod fiscal_office;
mod loads;
mod office;
mod orders;
mod purses;
mod random;
mod refusals;
mod round_trips;
mod signing;
mod streams;
mod sums;

use std::fmt::Write as _;

pub use book::{Book, Item, VOUCHERS};
pub use random::{Random, cost_follows_the_batch, same_as_memory};
pub use sums::audit;

use crate::{CaseFilter, OrderFilter, Reader, Store};

type Case<S> = (&'static str, fn(&mut S));

/// Runs the whole suite; every case gets a store of its own, empty.
pub fn all<S: Store>(new: impl Fn() -> S) {
    let cases: [Case<S>; 39] = [
        ("an_empty_store_loads_zeroes_for_what_is_asked", loads::empty),
        (
            "a_load_gives_balances_and_lots_of_the_accounts_asked_for_only",
            loads::accounts_of,
        ),
        (
            "a_reversal_target_comes_whole_and_with_its_accounts_and_lots",
            loads::reversal_targets,
        ),
        ("a_known_posting_comes_without_its_transfers", loads::postings),
        (
            "a_sum_that_is_asked_for_is_exact_however_far_the_sums_are_projected",
            loads::sums,
        ),
        ("journals_of_terminals_load_with_all_branches", loads::chains),
        ("hashes_load_by_sequence_in_all_branches", loads::hashes),
        ("the_last_balance_of_a_batch_is_the_one_stored", loads::coalesced),
        ("a_used_up_lot_is_gone", loads::used_up_lots),
        ("journal_rows_come_back_as_they_were_written", round_trips::journal),
        ("terminals_come_back_and_change", round_trips::terminals),
        ("slots_come_back_and_change", round_trips::slots),
        ("cases_come_back_in_the_order_of_opening", round_trips::cases),
        ("a_batch_of_64_rows_is_stored_whole", round_trips::large_batch),
        ("purses_come_back_to_whoever_asks_for_them", purses::come_back),
        ("gaps_of_purses_are_found_by_their_age", purses::gaps),
        (
            "a_claimed_key_is_a_conflict_and_nothing_is_half_written",
            refusals::conflicts,
        ),
        ("a_commit_that_breaks_the_net_is_refused_whole", refusals::net),
        ("a_refused_commit_leaves_the_store_working", refusals::goes_on),
        ("every_revision_of_a_stream_stays_readable", streams::revisions),
        ("a_stream_never_steps_back", streams::backwards),
        ("a_reader_sees_what_is_committed_and_nothing_else", round_trips::readers),
        ("what_was_signed_comes_back_and_may_be_signed_late", signing::comes_back),
        ("what_was_signed_is_never_changed", signing::stays),
        ("what_came_off_is_in_one_closing", signing::closings),
        ("a_wish_for_a_till_comes_back_until_it_is_over", fiscal_office::wishes),
        ("a_tse_goes_out_of_service_once", fiscal_office::retired),
        ("an_export_ends_once_and_is_deleted_once", fiscal_office::exports),
        ("users_and_sessions_come_back_change_and_end", office::logins),
        ("notes_move_a_case_and_stay", office::cases),
        ("the_audit_log_is_numbered_and_read_from_its_end", office::audit),
        ("what_was_said_about_taxes_comes_back_in_order", office::taxes),
        ("what_the_office_names_must_be_there", office::missing),
        ("a_wristband_shows_all_it_has_and_owes", office::balances),
        ("lists_and_sums_of_orders_fit_any_filter", orders::filters),
        ("lists_and_sums_of_orders_know_how_far_signing_is", orders::signing),
        ("a_moment_no_clock_shows_stops_nothing", orders::absurd_clocks),
        ("sums_follow_the_journal_step_by_step", sums::steps),
        ("sums_and_balances_are_a_replay_of_the_journal", sums::replay),
    ];
    for (name, case) in cases {
        println!("{name}");
        case(&mut new());
    }
    for seed in 0..4 {
        println!("random_commits_give_the_same_as_the_reference_engine, seed {seed}");
        same_as_memory(&mut new(), seed, 40);
    }
}

/// Closes and opens a store again: everything is as it was, and booking goes on.
pub fn reopened<S: Store>(new: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let mut store = new();
    random::book(&mut store, 7, 12);
    streams::configure(&mut store);
    store.project(5).unwrap();
    let before = dump(&mut store);
    let mut store = reopen(store);
    assert_eq!(dump(&mut store), before);
    let last_no = store.reader().unwrap().head().unwrap().0;
    let book = Book::new();
    book.book(&mut store, &[book.top_up(0, 9_000, 1, 1_00)]).unwrap();
    assert_eq!(store.reader().unwrap().head().unwrap().0, last_no + 1);
    audit(&mut *store.reader().unwrap(), &[Book::EVENT]);
}

/// All that readers can see, as text, so that two stores compare in one line.
pub fn dump(store: &mut impl Store) -> String {
    dump_reader(&mut *store.reader().unwrap())
}

fn dump_reader(reader: &mut dyn Reader) -> String {
    let mut text = String::new();
    let mut line = |what: &dyn std::fmt::Debug| writeln!(text, "{what:?}").unwrap();
    line(&reader.head().unwrap());
    for row in reader.journal(1, u64::MAX).unwrap() {
        line(&row);
    }
    for terminal in reader.terminals().unwrap() {
        line(&terminal);
        line(&reader.chains(terminal.no).unwrap());
    }
    line(&reader.slots().unwrap());
    for tse in reader.tses().unwrap() {
        line(&tse);
        line(&reader.transactions(tse.no, 0, u64::MAX).unwrap());
    }
    line(&reader.open_transactions().unwrap());
    line(&reader.signing_counts().unwrap());
    line(&reader.unsigned(0, u64::MAX).unwrap());
    line(&reader.outages(0, u64::MAX).unwrap());
    line(&reader.cases(0, u64::MAX).unwrap());
    line(&reader.case_counts().unwrap());
    line(&reader.case_list(&CaseFilter::default(), None, u64::MAX).unwrap());
    line(&reader.open_cases().unwrap());
    line(&reader.wishes().unwrap());
    line(&reader.retired().unwrap());
    line(&reader.exports(None, u64::MAX).unwrap());
    line(&reader.users().unwrap());
    line(&reader.audit(None, None, u64::MAX).unwrap());
    line(&reader.first_waiting().unwrap());
    for event in [Book::EVENT, Book::OTHER_EVENT] {
        line(&reader.balances(event).unwrap());
        line(&reader.purses(event, None, u64::MAX).unwrap());
        line(&reader.tax(event, 0, u64::MAX).unwrap());
        let mut totals = reader.totals(event).unwrap();
        totals.accounts.retain(|_, sum| *sum != 0);
        line(&totals);
        line(&reader.hours(event, 0, u64::MAX).unwrap());
        let all = OrderFilter::default();
        line(&reader.orders(event, &all, None, u64::MAX).unwrap());
        line(&reader.order_sums(event, &all).unwrap());
        for stream in shared_protocol::stream::Stream::ALL {
            line(&reader.stream(event, *stream, None).unwrap());
        }
    }
    text
}
