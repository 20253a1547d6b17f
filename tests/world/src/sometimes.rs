//! Places that a run of many seeds has to reach. A simulator that never gets to a rare path proves nothing about it, so a list that is not
//! reached whole fails the run.

use std::collections::BTreeMap;

/// What has to be reached over a run of many seeds.
pub const EXPECTED: &[&str] = &[
    "acknowledged_before_power_cut",
    "already_paid_shown",
    "authorisation_captured",
    "blocked_wristband_paid",
    "blocked_wristband_refused",
    "branch_stored",
    "cancelled",
    "cancelled_twice_refused",
    "card_or_cash_sale",
    "cart_came_back_after_restart",
    "clock_jump_noted",
    "commit_failed",
    "connection_replaced",
    "corrected",
    "deposit_returned",
    "disk_error_on_a_till",
    "disk_full_on_a_till",
    "disk_of_unknown_state",
    "drawer_cash_moved",
    "drawer_counted",
    "drawer_counted_with_a_difference",
    "drawer_mismatch_found",
    "drawer_opened",
    "entry_without_offset",
    "entries_repeated",
    "epoch_issued",
    "forbidden_order_has_a_case",
    "fork_answered",
    "gap_answered",
    "hold_was_gone_when_captured",
    "id_conflict",
    "last_cart_booked_after_restart",
    "late_top_up_settled_debt",
    "lock_shown",
    "logout_refused_with_cart",
    "lost_with_the_phone",
    "not_permitted_refused",
    "offline_known_sale",
    "offline_limit_refused",
    "offline_unknown_sale",
    "old_prices_booked",
    "order_marked_in_an_outage",
    "order_of_before_a_withdrawal_booked",
    "order_signed",
    "order_signed_late",
    "orders_of_two_taxpayers",
    "outage_of_a_till",
    "outage_of_a_tse",
    "overdraft_booked",
    "paid_by_two_wristbands",
    "paid_out",
    "power_cut_lost_a_write",
    "queue_read_back",
    "registration_expired",
    "registration_race_lost",
    "registration_used",
    "registration_wrong",
    "rogue_met",
    "rogue_refused_by_tls",
    "second_copy_booked",
    "server_died_before_its_acknowledgements",
    "server_restored_without_orders",
    "tender_not_taken_here_refused",
    "terminal_readopted",
    "topped_up_offline",
    "unacknowledged_write_survived_a_power_cut",
    "voucher_redeemed",
    "voucher_tender",
    "window_closed_by_a_busy_server",
];

/// How often each place was reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sometimes(pub BTreeMap<&'static str, u64>);

impl Sometimes {
    pub fn reach(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }
}
