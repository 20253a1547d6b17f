package app.groschen.till.words

import app.groschen.till.R
import app.groschen.till.ui.Ui
import app.groschen.view.Blocked
import app.groschen.view.Refusal
import app.groschen.view.Tender

/** Why something was not done, and what to do now. The same words as on the laptop till. */
fun Ui.refusal(refusal: Refusal): Said = when (refusal) {
    is Refusal.TooLow -> {
        val now = if (refusal.secondBand) R.string.refusal_too_low_now else R.string.refusal_too_low_now_alone
        said(R.string.refusal_too_low, now, figures.euros(refusal.missing))
    }
    is Refusal.OfflineOrder -> offline(R.string.refusal_limit_order, refusal.possible)
    is Refusal.OfflineBand -> offline(R.string.refusal_limit_tag, refusal.possible)
    is Refusal.OfflineUnknownBand -> offline(R.string.refusal_limit_unknown_tag, refusal.possible)
    is Refusal.OfflinePhone -> offline(R.string.refusal_limit_terminal, refusal.possible)
    is Refusal.OfflinePayOut -> offline(R.string.refusal_limit_pay_out, refusal.possible)
    is Refusal.Blocked -> blocked(refusal.reason)
    is Refusal.PinLocked -> said(R.string.refusal_pin_locked, R.string.refusal_pin_locked_now, duration(refusal.minutes * MINUTE_MS))
    is Refusal.TenderNotHere -> said(R.string.refusal_tender, R.string.refusal_tender_now, tender(refusal.tender))
    is Refusal.ForeignTooLittle -> said(R.string.refusal_foreign_little, R.string.refusal_foreign_little_now, figures.foreign(refusal.needed, refusal.code))
    Refusal.CurrencyNotHere -> said(R.string.refusal_currency, R.string.refusal_currency_now)
    is Refusal.TooManyReturns -> said(R.string.refusal_too_many, R.string.refusal_too_many_now, refusal.max)
    is Refusal.TopUpRange -> said(
        R.string.refusal_top_up_range, R.string.refusal_top_up_range_now, figures.euros(refusal.min), figures.euros(refusal.max),
    )
    is Refusal.Ceiling -> said(R.string.refusal_ceiling, R.string.refusal_ceiling_now, figures.euros(refusal.possible))
    is Refusal.Step -> said(R.string.refusal_step, R.string.refusal_step_now, figures.euros(refusal.unit.toLong()))
    is Refusal.Unsent -> Said(
        counted(R.plurals.refusal_unsent, refusal.orders),
        text(R.string.refusal_unsent_now, figures.euros(refusal.total)),
    )
    Refusal.SeveralBands -> said(R.string.refusal_several, R.string.refusal_several_now)
    Refusal.NotOurs -> said(R.string.refusal_not_ours, R.string.refusal_not_ours_now)
    Refusal.Unreadable -> said(R.string.refusal_unreadable, R.string.refusal_unreadable_now)
    Refusal.TooQuick -> said(R.string.refusal_left, R.string.refusal_left_now)
    Refusal.HoldSame -> said(R.string.refusal_hold_same, R.string.refusal_hold_same_now)
    Refusal.AskBooks -> said(R.string.refusal_unknown, R.string.refusal_unknown_now)
    Refusal.NoKey -> said(R.string.refusal_no_key, R.string.refusal_no_key_now)
    Refusal.OtherBatch -> said(R.string.refusal_unknown_batch, R.string.refusal_unknown_batch_now)
    Refusal.Forged -> said(R.string.refusal_forged, R.string.refusal_forged_now)
    Refusal.SetBack -> said(R.string.refusal_set_back, R.string.refusal_set_back_now)
    Refusal.Damaged -> said(R.string.refusal_damaged, R.string.refusal_damaged_now)
    Refusal.FullBand -> said(R.string.refusal_full, R.string.refusal_full_now)
    Refusal.Frozen -> said(R.string.refusal_frozen, R.string.refusal_frozen_now)
    Refusal.PurseVouchers -> said(R.string.refusal_vouchers, R.string.refusal_vouchers_now)
    Refusal.NoSplit -> said(R.string.refusal_no_split, R.string.refusal_no_split_now)
    Refusal.OtherBand -> said(R.string.refusal_other, R.string.refusal_other_now)
    Refusal.SameBand -> said(R.string.refusal_same, R.string.refusal_same_now)
    Refusal.LoggedOut -> said(R.string.refusal_logged_out, R.string.refusal_logged_out_now)
    Refusal.UnknownStaff -> said(R.string.refusal_unknown_staff, R.string.refusal_unknown_staff_now)
    Refusal.NotStaff -> said(R.string.refusal_not_staff, R.string.refusal_not_staff_now)
    Refusal.ParkedAlready -> said(R.string.refusal_parked, R.string.refusal_parked_now)
    Refusal.Locked -> said(R.string.refusal_locked, R.string.refusal_locked_now)
    Refusal.NotPermitted -> said(R.string.refusal_not_permitted, R.string.refusal_not_permitted_now)
    Refusal.OnlineOnly -> said(R.string.refusal_online_only, R.string.refusal_online_only_now)
    Refusal.Busy -> said(R.string.refusal_busy, R.string.refusal_busy_now)
    Refusal.CartOpen -> said(R.string.refusal_cart_open, R.string.refusal_cart_open_now)
    Refusal.CartEmpty -> said(R.string.refusal_cart_empty, R.string.refusal_cart_empty_now)
    Refusal.CartFull -> said(R.string.refusal_cart_full, R.string.refusal_cart_full_now)
    Refusal.UnknownArticle -> said(R.string.refusal_unknown_article, R.string.refusal_unknown_article_now)
    Refusal.Price -> said(R.string.refusal_price, R.string.refusal_price_now)
    Refusal.NotReturnable -> said(R.string.refusal_not_returnable, R.string.refusal_not_returnable_now)
    Refusal.NoSuchOrder -> said(R.string.refusal_no_such_order, R.string.refusal_no_such_order_now)
    Refusal.TakenBack -> said(R.string.refusal_taken_back, R.string.refusal_taken_back_now)
    Refusal.TooLate -> said(R.string.refusal_too_late, R.string.refusal_too_late_now)
    Refusal.NotCancellable -> said(R.string.refusal_not_cancellable, R.string.refusal_not_cancellable_now)
    Refusal.Overflow -> said(R.string.refusal_overflow, R.string.refusal_overflow_now)
    Refusal.Storage -> said(R.string.refusal_storage, R.string.refusal_storage_now)
    Refusal.StorageFull -> said(R.string.refusal_storage_full, R.string.refusal_storage_full_now)
    Refusal.SplitTimeout -> said(R.string.refusal_split_timeout, R.string.refusal_split_timeout_now)
    Refusal.DrawerOpen -> said(R.string.refusal_drawer_open, R.string.refusal_drawer_open_now)
    Refusal.DrawerClosed -> said(R.string.refusal_drawer_closed, R.string.refusal_drawer_closed_now)
    Refusal.DrawerAmount -> said(R.string.refusal_drawer_amount, R.string.refusal_drawer_amount_now)
    Refusal.HoldOldFirst -> said(R.string.refusal_hold_old, R.string.refusal_hold_old_now)
    Refusal.SwapSame -> said(R.string.refusal_swap_same, R.string.refusal_swap_same_now)
    Refusal.BandInUse -> said(R.string.refusal_in_use, R.string.refusal_in_use_now)
    Refusal.NoCopy -> said(R.string.refusal_no_copy, R.string.refusal_no_copy_now)
    Refusal.OwnCopy -> said(R.string.refusal_own_copy, R.string.refusal_own_copy_now)
    Refusal.CopyTooLarge -> said(R.string.refusal_copy_too_large, R.string.refusal_copy_too_large_now)
    Refusal.CopiesWait -> said(R.string.refusal_copies_wait, R.string.refusal_copies_wait_now)
    Refusal.OfCrew -> said(R.string.refusal_of_crew, R.string.refusal_of_crew_now)
}

/** What a refusal says of money. */
enum class Untouched {
    /** A guest's wristband was to pay: nothing was charged. */
    CHARGED,

    /** Money was to move otherwise: nothing was booked. */
    BOOKED,

    /** It was not about money, or here alone nobody knows yet. */
    UNSAID,
}

/** Whether [refusal] is to say that no money moved, and in which words. */
fun untouchedBy(refusal: Refusal): Untouched = when (refusal) {
    Refusal.AskBooks, Refusal.LoggedOut, Refusal.UnknownStaff, Refusal.NotStaff, is Refusal.PinLocked,
    is Refusal.Unsent, Refusal.CartEmpty, Refusal.TakenBack, Refusal.ParkedAlready,
    Refusal.NoCopy, Refusal.OwnCopy, Refusal.CopyTooLarge, Refusal.CopiesWait,
    -> Untouched.UNSAID
    is Refusal.OfflinePayOut, Refusal.Frozen, is Refusal.Step, is Refusal.TopUpRange, is Refusal.Ceiling, Refusal.NoSuchOrder,
    Refusal.TooLate, Refusal.NotCancellable, Refusal.DrawerOpen, Refusal.DrawerClosed, Refusal.DrawerAmount, Refusal.HoldOldFirst,
    is Refusal.ForeignTooLittle, Refusal.CurrencyNotHere, Refusal.SwapSame, Refusal.BandInUse, Refusal.OfCrew, Refusal.NotReturnable, is Refusal.TooManyReturns, Refusal.FullBand,
    -> Untouched.BOOKED
    else -> Untouched.CHARGED
}

/** Whether the same gesture, made again or otherwise, is the way on: then it is no refusal to the eye but a "hold again". */
fun asksAgain(refusal: Refusal): Boolean = when (refusal) {
    is Refusal.TooLow, Refusal.Busy, Refusal.SeveralBands, Refusal.OtherBand, Refusal.SameBand, Refusal.TooQuick, Refusal.HoldSame,
    Refusal.Unreadable,
    -> true
    else -> false
}

/** Why a wristband must not pay, without telling the queue more than it needs. */
fun Ui.blocked(reason: Blocked): Said = when (reason) {
    Blocked.LOST -> said(R.string.blocked_lost, R.string.blocked_now)
    Blocked.REPLACED -> said(R.string.blocked_replaced, R.string.blocked_now)
    Blocked.BLOCKED, Blocked.OVERDRAWN -> said(R.string.blocked_other, R.string.blocked_now)
}

/** How guests pay. */
fun Ui.tender(tender: Tender): String = text(
    when (tender) {
        Tender.WRISTBAND -> R.string.tender_wristband
        Tender.CASH -> R.string.tender_cash
        Tender.CARD -> R.string.tender_card
        Tender.VOUCHER -> R.string.tender_voucher
    },
)

private fun Ui.offline(what: Int, possible: Long): Said = said(what, R.string.refusal_limit_now, figures.euros(possible))
