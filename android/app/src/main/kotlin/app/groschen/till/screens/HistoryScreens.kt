package app.groschen.till.screens

import android.text.Editable
import android.text.InputType
import android.text.TextWatcher
import android.view.Gravity
import android.view.View
import android.widget.LinearLayout
import app.groschen.till.R
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Flow
import app.groschen.till.ui.QrView
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.button
import app.groschen.till.ui.centred
import app.groschen.till.ui.column
import app.groschen.till.ui.facts
import app.groschen.till.ui.field
import app.groschen.till.ui.label
import app.groschen.till.ui.listRow
import app.groschen.till.ui.note
import app.groschen.till.ui.page
import app.groschen.till.ui.title
import app.groschen.till.words.kind
import app.groschen.till.words.reason
import app.groschen.view.HistoryPage
import app.groschen.view.OrderPage
import app.groschen.view.OrderRow
import app.groschen.view.Reason
import app.groschen.view.ReceiptPage
import app.groschen.view.Touch

/** Orders of this till, the newest first, with a search for what the guest remembers. */
class HistoryScreen(private val ui: Ui) : Screen<HistoryPage> {
    private val list = Slot(ui.context)
    private val search = ui.field(ui.text(R.string.history_search)).apply {
        inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS
        maxLines = 1
        addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit
            override fun afterTextChanged(text: Editable) {
                if (text.toString() != known) ui.touch(Touch.Text(text.toString()))
            }
        })
    }
    private var known = ""

    override val root: View = ui.page(ui.column(ui.title(ui.text(R.string.history_title)), search, list))

    override fun show(page: HistoryPage) {
        known = page.search
        // Who types is ahead of what the core has seen.
        if (!search.hasFocus() && search.text.toString() != page.search) search.setText(page.search)
        search.visibility = if (page.of > 0) View.VISIBLE else View.GONE
        list.show(page) { rows(it) }
    }

    private fun rows(page: HistoryPage): View = when {
        page.of == 0 -> ui.label(ui.text(R.string.history_empty), Type.CAPTION)
        page.orders.isEmpty() -> ui.label(ui.text(R.string.history_none_found, page.search), Type.CAPTION)
        else -> ui.column(*page.orders.map { row(it) }.toTypedArray())
    }

    private fun row(order: OrderRow): View {
        val what = ui.text(R.string.two_parts, ui.figures.second(order.atMs), ui.kind(order.kind))
        val (sum, state) = ui.figures.euros(order.total) to ui.state(order)
        val band = order.band?.let { ui.text(R.string.band_ending, it) }
        val below = band?.let { ui.text(R.string.two_parts, state, it) } ?: state
        return ui.listRow(what, below, sum) { ui.touch(Touch.OpenOrder(order.order)) }.apply {
            contentDescription = ui.text(R.string.history_row_says, what, sum, below)
        }
    }
}

/** One order: what it was, its receipt, and taking it back. */
class OrderScreen(private val ui: Ui) : Screen<OrderPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: OrderPage) = slot.show(page) {
        val order = page.order
        val facts = listOfNotNull(
            ui.text(R.string.order_when) to ui.figures.second(order.atMs),
            order.band?.let { ui.text(R.string.tender_wristband) to ui.text(R.string.band_digits, it) },
            ui.text(R.string.order_state) to ui.state(order),
        )
        val receipt = if (page.receipt) ui.button(ui.text(R.string.receipt)) { ui.touch(Touch.Receipt(order.order)) } else null
        ui.page(
            ui.column(
                ui.title(ui.kind(order.kind)),
                ui.label(ui.figures.euros(order.total), Type.TOTAL),
                ui.facts(facts), receipt, takingBack(order), gap = R.dimen.gap_large,
            ),
        )
    }

    private fun takingBack(order: OrderRow): View? = when {
        order.takenBack -> null
        order.cancellable -> ui.column(
            ui.title(ui.text(R.string.history_cancel)),
            ui.label(ui.text(R.string.history_why), Type.CAPTION),
            Flow(ui, Reason.entries.map { why -> ui.button(ui.reason(why)) { ui.touch(Touch.Cancel(order.order, why)) } }),
            ui.label(ui.text(R.string.history_then_hold)),
        )
        else -> ui.note(Colours.INFO, ui.text(R.string.history_too_late))
    }
}

/** How an order stands: taken back, sent or not yet. */
private fun Ui.state(order: OrderRow): String = text(
    when {
        order.takenBack -> R.string.history_taken_back
        order.sent -> R.string.history_sent
        else -> R.string.history_unsent
    },
)

/** What a guest takes along: a code that leads to the receipt. */
class ReceiptScreen(private val ui: Ui) : Screen<ReceiptPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    /** What has to be said of an order that the server does not have. */
    private fun unsent(page: ReceiptPage): View? = when {
        page.sent -> null
        page.carried -> ui.note(Colours.AGAIN, ui.text(R.string.receipt_unsigned), ui.text(R.string.receipt_carried))
        else -> ui.note(Colours.AGAIN, ui.text(R.string.receipt_later))
    }

    override fun show(page: ReceiptPage) = slot.show(page) {
        val order = page.order
        val what = ui.text(R.string.three_parts, ui.kind(order.kind), ui.figures.euros(order.total), ui.figures.second(order.atMs))
        val link = page.link
        val code = if (link == null) {
            ui.note(Colours.INFO, ui.text(R.string.receipt_no_link), ui.text(R.string.receipt_no_link_now))
        } else {
            QrView(ui, link, ui.text(R.string.receipt_qr), long = page.carried)
        }
        ui.page(
            ui.column(
                ui.title(ui.text(R.string.receipt_title)).centred(),
                ui.label(what).centred(),
                unsent(page),
                code,
                if (link != null) ui.label(ui.text(R.string.receipt_scan), Type.CAPTION).centred() else null,
                gap = R.dimen.gap_large,
            ).apply { (this as LinearLayout).gravity = Gravity.CENTER },
            ui.button(ui.text(R.string.go_on)) { ui.touch(Touch.Back) },
        )
    }
}
