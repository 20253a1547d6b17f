package app.groschen.till.screens

import android.text.Editable
import android.text.InputType
import android.text.TextWatcher
import android.view.View
import android.widget.FrameLayout
import app.groschen.till.R
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Flow
import app.groschen.till.ui.Keypad
import app.groschen.till.ui.SlideConfirm
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.button
import app.groschen.till.ui.column
import app.groschen.till.ui.enabledWhen
import app.groschen.till.ui.field
import app.groschen.till.ui.holdTarget
import app.groschen.till.ui.label
import app.groschen.till.ui.line
import app.groschen.till.ui.note
import app.groschen.till.ui.page
import app.groschen.till.ui.row
import app.groschen.till.ui.stretched
import app.groschen.till.ui.title
import app.groschen.till.ui.typedAmount
import app.groschen.till.words.details
import app.groschen.till.words.money
import app.groschen.view.Balance
import app.groschen.view.BandPage
import app.groschen.view.Method
import app.groschen.view.OpenTopUp
import app.groschen.view.PayOutPage
import app.groschen.view.Pieces
import app.groschen.view.Place
import app.groschen.view.Swapping
import app.groschen.view.TopUpPage
import app.groschen.view.Touch

/** The wristband whose balance is shown: what is done on this page is for it. */
internal fun Ui.shownBand(balance: Balance): View {
    val name = text(R.string.band_ending, balance.band)
    val what = if (balance.money == null) text(R.string.two_parts, name, money(balance)) else text(R.string.top_up_of_band, name, money(balance))
    return note(Colours.INFO, what, details(balance).joinToString("\n").ifEmpty { null })
}

/** Notes and coins: `20 € + 2 × 5 €`. */
internal fun Ui.pieces(pieces: List<Pieces>): String = pieces.joinToString(" + ") {
    val piece = figures.piece(it.worth)
    if (it.count == 1) piece else text(R.string.pieces_several, figures.count(it.count.toLong()), piece)
}

/** Money in: amount and way of paying first, or the wristband first; then the wristband is held. */
class TopUpScreen(private val ui: Ui) : Screen<TopUpPage> {
    private val head = Slot(ui.context)
    private val presets = Slot(ui.context)
    private val keys = Keypad(ui, null)
    private val ways = Slot(ui.context)
    private val foreign = Slot(ui.context)
    private val entry = ui.page(ui.column(head, presets), ui.column(keys.root, ways, foreign))
    private val waiting = Slot(ui.context)
    override val root: View = FrameLayout(ui.context).apply {
        addView(entry)
        addView(waiting)
    }

    override fun show(page: TopUpPage) {
        entry.visibility = if (page.open == null) View.VISIBLE else View.GONE
        waiting.show(page.open?.let { it to page.band }) { it?.let { (open, band) -> hold(open, band, page) } }
        if (page.open != null) return
        head.show(listOf(page.typed, page.band, page.afterSync)) {
            ui.column(
                page.band?.let { ui.shownBand(it) } ?: ui.label(ui.text(R.string.top_up_band_first)),
                if (page.afterSync) ui.note(Colours.AGAIN, ui.text(R.string.top_up_after_sync)) else null,
                ui.typedAmount(page.typed),
            )
        }
        presets.show(page.presets) { amounts ->
            Flow(ui, amounts.map { amount -> ui.button(ui.figures.piece(amount)) { ui.touch(Touch.Preset(amount)) } }, PRESET_COLUMNS)
        }
        ways.show(page.methods to (page.typed > 0)) { (methods, typed) ->
            ui.row(*methods.map { way ->
                ui.button(ui.method(way), Weight.MAIN) { ui.touch(Touch.TopUp(way)) }.enabledWhen(typed).stretched()
            }.toTypedArray())
        }
        foreign.show(page.foreign.takeIf { it }) { may ->
            may?.let { ui.button(ui.text(R.string.foreign)) { ui.touch(Touch.Open(Place.FOREIGN)) } }
        }
    }

    private fun hold(open: OpenTopUp, band: Balance?, page: TopUpPage): View {
        val words = if (open.settling) R.string.hold_same else R.string.hold_top_up
        return ui.page(
            ui.column(
                ui.title(ui.text(R.string.cart_title_top_up, ui.method(open.method))),
                ui.label(ui.figures.euros(open.amount), Type.TOTAL).apply { id = R.id.total },
                band?.let { ui.shownBand(it) },
                if (page.afterSync) ui.note(Colours.AGAIN, ui.text(R.string.top_up_after_sync)) else null,
                open.foreign?.let { ui.label(ui.text(R.string.change_given, ui.figures.foreign(it.amount, it.code)), Type.NUMBER) },
                if (open.method == Method.CASH && open.foreign == null) change(open) else null,
                gap = R.dimen.gap_large,
            ),
            ui.column(
                ui.holdTarget(ui.text(words)),
                ui.button(ui.text(if (open.settling) R.string.cart_guest_gone else R.string.cancel)) { ui.touch(Touch.Clear) },
            ),
        )
    }

    /** What the guest gives is touched, what goes back stands beside it, in the notes to take out. */
    private fun change(open: OpenTopUp): View {
        val given = open.given
        val change = open.change
        val answer = if (given != null && change != null) {
            val back = ui.figures.euros(change)
            val what = when {
                change < 0 -> ui.text(R.string.change_short, ui.figures.euros(-change))
                change == 0L -> ui.text(R.string.change_exact)
                else -> ui.text(R.string.change_back, back)
            }
            ui.column(
                ui.label(ui.text(R.string.change_given, ui.figures.euros(given))),
                ui.label(what, Type.NUMBER),
                if (change > 0) ui.label(ui.pieces(open.pieces), Type.CAPTION) else null,
                gap = R.dimen.gap_small,
            )
        } else {
            null
        }
        val offers = open.offers.map { offer ->
            val back = ui.text(R.string.change_back, ui.figures.euros(offer.change))
            ui.button("${ui.figures.piece(offer.given)}\n$back") { ui.touch(Touch.Given(offer.given)) }
        }
        return ui.column(
            answer,
            if (offers.isEmpty()) null else ui.label(ui.text(R.string.change_title), Type.CAPTION),
            if (offers.isEmpty()) null else Flow(ui, offers),
        )
    }

    private companion object {
        const val PRESET_COLUMNS = 3
    }
}

/** How money comes in. */
internal fun Ui.method(method: Method): String = text(if (method == Method.CASH) R.string.tender_cash else R.string.tender_card)

/** Money out: it cannot be taken back, so it is slid and not tapped, and the wristband is held before the money is given. */
class PayOutScreen(private val ui: Ui) : Screen<PayOutPage> {
    private val head = Slot(ui.context)
    private val keys = Keypad(ui, null)
    private val slide = Slot(ui.context)
    private val entry = ui.page(head, ui.column(keys.root, slide))
    private val waiting = Slot(ui.context)
    override val root: View = FrameLayout(ui.context).apply {
        addView(entry)
        addView(waiting)
    }

    override fun show(page: PayOutPage) {
        entry.visibility = if (page.open == null) View.VISIBLE else View.GONE
        waiting.show(page.open) { it?.let(::hold) }
        if (page.open != null) return
        head.show(page) {
            val max = page.offlineMax
            ui.column(
                page.band?.let { ui.shownBand(it) } ?: ui.label(ui.text(R.string.pay_out_hint)),
                max?.let {
                    val what = if (it > 0) ui.text(R.string.pay_out_offline, ui.figures.euros(it)) else ui.text(R.string.pay_out_online_only)
                    ui.note(Colours.AGAIN, what)
                },
                page.all?.let { all -> ui.button(ui.text(R.string.pay_out_all, ui.figures.euros(all))) { ui.touch(Touch.PayOutAll) } },
                ui.typedAmount(page.typed),
            )
        }
        slide.show(page.typed) { typed ->
            SlideConfirm(ui, ui.text(R.string.pay_out_slide, ui.figures.euros(typed))) { ui.touch(Touch.PayOut) }.enabledWhen(typed > 0)
        }
    }

    private fun hold(amount: Long): View = ui.page(
        ui.column(
            ui.title(ui.text(R.string.cart_title_pay_out)),
            ui.label(ui.figures.euros(amount), Type.TOTAL).apply { id = R.id.total },
            gap = R.dimen.gap_large,
        ),
        ui.column(ui.holdTarget(ui.text(R.string.hold_pay_out)), ui.button(ui.text(R.string.cancel)) { ui.touch(Touch.Clear) }),
    )
}

/** A wristband that is lost, broken or to be swapped: everything moves to a new one, and the old one is blocked. */
class BandScreen(private val ui: Ui) : Screen<BandPage> {
    private val held = Slot(ui.context)
    private val lost = Slot(ui.context)
    private val swapping = Slot(ui.context)
    private var known = ""
    private val number = ui.field(ui.text(R.string.band_number)).apply {
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
    private val entry = ui.page(
        ui.column(
            ui.title(ui.text(R.string.band_title)),
            held,
            ui.line(),
            ui.label(ui.text(R.string.band_lost), Type.TITLE),
            ui.label(ui.text(R.string.band_number), Type.CAPTION).apply { labelFor = number.id },
            number,
            ui.label(ui.text(R.string.band_number_hint)),
            lost,
            gap = R.dimen.gap_large,
        ),
    )
    override val root: View = FrameLayout(ui.context).apply {
        addView(entry)
        addView(swapping)
    }

    override fun show(page: BandPage) {
        known = page.number
        // Who types is ahead of what the core has seen.
        if (!number.hasFocus() && number.text.toString() != page.number) number.setText(page.number)
        entry.visibility = if (page.swapping == null) View.VISIBLE else View.GONE
        swapping.show(page.swapping) { it?.let { swap -> open(swap) } }
        held.show(page.band to page.maySwap) { (band, may) -> if (may) here(band) else null }
        lost.show(listOf(page.isNumber, page.maySwap, page.mayBlock)) { actions(page) }
    }

    private fun here(band: Balance?): View = ui.column(
        ui.label(ui.text(R.string.band_here), Type.TITLE),
        band?.let { ui.shownBand(it) } ?: ui.label(ui.text(R.string.band_here_hint)),
        if (band != null) ui.button(ui.text(R.string.band_swap_go), Weight.MAIN) { ui.touch(Touch.Swap) } else null,
    )

    private fun actions(page: BandPage): View = ui.column(
        act(page.maySwap, R.string.band_lost_swap, Weight.MAIN, page.isNumber, Touch.SwapLost),
        act(page.mayBlock, R.string.band_lost_block, Weight.GRAVE, page.isNumber, Touch.BlockLost),
    )

    private fun act(may: Boolean, words: Int, weight: Weight, ready: Boolean, touch: Touch): View? =
        if (may) ui.button(ui.text(words), weight) { ui.touch(touch) }.enabledWhen(ready) else null

    private fun open(swap: Swapping): View = ui.page(
        ui.column(
            ui.title(ui.text(R.string.cart_title_swap)),
            ui.label(ui.text(R.string.swap_old, ui.text(R.string.band_ending, swap.old)), Type.TITLE),
            ui.label(ui.text(if (swap.lost) R.string.swap_hint_lost else R.string.swap_hint), Type.CAPTION),
            gap = R.dimen.gap_large,
        ),
        ui.column(ui.holdTarget(ui.text(R.string.hold_new)), ui.button(ui.text(R.string.cancel)) { ui.touch(Touch.Clear) }),
    )
}
