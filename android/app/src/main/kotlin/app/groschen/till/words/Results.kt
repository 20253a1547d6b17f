package app.groschen.till.words

import app.groschen.till.R
import app.groschen.till.ui.Ui
import app.groschen.view.Balance
import app.groschen.view.Done
import app.groschen.view.DoneKind
import app.groschen.view.OrderKind

/** What was booked, as a headline. */
fun Ui.headline(done: Done): String {
    val total = figures.euros(done.total)
    return when (val kind = done.kind) {
        DoneKind.Paid -> text(R.string.done_paid, total)
        DoneKind.Credited -> text(R.string.done_credit, total)
        DoneKind.Cancelled -> text(R.string.done_cancelled, total)
        is DoneKind.Corrected -> text(R.string.done_corrected, figures.euros(kind.was), total)
        is DoneKind.ToppedUp -> text(R.string.done_topped_up, total)
        DoneKind.PaidOut -> text(R.string.done_paid_out, total)
        DoneKind.DrawerOpened -> text(R.string.done_drawer_opened, total)
        is DoneKind.DrawerCounted -> text(
            when {
                kind.counted == kind.expected -> R.string.done_drawer_right
                kind.counted > kind.expected -> R.string.done_drawer_over
                else -> R.string.done_drawer_short
            },
        )
        DoneKind.CashMoved -> text(R.string.done_cash_moved, total)
        is DoneKind.HandedIn -> text(R.string.done_handed_in, figures.foreign(kind.amount, kind.code))
        is DoneKind.Swapped -> text(R.string.done_swapped)
        is DoneKind.BandBlocked -> text(R.string.done_blocked)
    }
}

/** What is on the wristband now, with how fresh that is when it is not the server's word. */
fun Ui.left(done: Done): String? {
    val amount = figures.euros(done.left ?: return null)
    val asOf = done.leftAsOfMs?.let(figures::minute)
    val came = done.kind is DoneKind.ToppedUp || done.kind == DoneKind.Credited
    return when {
        came && asOf != null -> text(R.string.has_now_about, amount, asOf)
        came -> text(R.string.has_now, amount)
        asOf != null -> text(R.string.left_about, amount, asOf)
        else -> text(R.string.left, amount)
    }
}

/** All that is to be said below the headline, the most important first. */
fun Ui.details(done: Done): List<String> = buildList {
    if (done.cupsOut > 0) add(counted(R.plurals.hand_out_cups, done.cupsOut))
    if (done.cupsBack > 0) add(counted(R.plurals.cups_came_back, done.cupsBack))
    done.change?.takeIf { it > 0 }?.let { add(text(R.string.give_back, figures.euros(it))) }
    done.vouchers.forEach { add(text(R.string.voucher_used, figures.count(it.amount), it.name)) }
    done.vouchersLeft.forEach { add(text(R.string.voucher_left, figures.count(it.amount), it.name)) }
    done.settled?.takeIf { it > 0 }?.let { add(text(R.string.settled, figures.euros(done.total), figures.euros(it))) }
    done.owed?.takeIf { it > 0 }?.let { add(text(R.string.settled_left, figures.euros(it))) }
    when (val kind = done.kind) {
        is DoneKind.ToppedUp -> if (kind.afterSync) add(text(R.string.top_up_after_sync))
        is DoneKind.DrawerCounted ->
            add(text(R.string.done_drawer_figures, figures.euros(kind.counted), figures.euros(kind.expected)))
        is DoneKind.Swapped -> add(text(if (kind.afterSync) R.string.swap_done_offline else R.string.swap_done_online))
        is DoneKind.BandBlocked -> {
            add(text(if (kind.afterSync) R.string.block_done_offline else R.string.block_done_online))
            add(text(R.string.block_done_next))
        }
        else -> Unit
    }
}

/** Money on a wristband with how fresh it is. */
fun Ui.money(balance: Balance): String {
    val amount = figures.euros(balance.money ?: return text(R.string.balance_unknown))
    return balance.asOfMs?.let { text(R.string.balance_about, amount, figures.minute(it)) } ?: amount
}

/** What else is to be said of a wristband. */
fun Ui.details(balance: Balance): List<String> = buildList {
    balance.units.forEach { add(text(R.string.balance_unit, figures.count(it.amount), it.name)) }
    if (balance.owed > 0) add(text(R.string.balance_owed, figures.euros(balance.owed)))
    balance.lastSale?.let {
        add(text(R.string.balance_last_sale, figures.euros(it.amount), figures.minute(it.atMs), it.till))
    }
    if (balance.money == null) add(text(R.string.balance_unknown_why))
}

/** What an order was. */
fun Ui.kind(kind: OrderKind): String = text(
    when (kind) {
        OrderKind.SALE -> R.string.kind_sale
        OrderKind.DEPOSIT_RETURN -> R.string.kind_deposit
        OrderKind.CANCEL -> R.string.kind_cancel
        OrderKind.CORRECTION -> R.string.kind_correction
        OrderKind.TOP_UP -> R.string.kind_top_up
        OrderKind.PAY_OUT -> R.string.kind_pay_out
        OrderKind.OTHER -> R.string.kind_other
    },
)
