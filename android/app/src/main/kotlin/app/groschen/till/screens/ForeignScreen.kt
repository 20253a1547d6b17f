package app.groschen.till.screens

import android.view.View
import app.groschen.till.R
import app.groschen.till.ui.Flow
import app.groschen.till.ui.Keypad
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.button
import app.groschen.till.ui.column
import app.groschen.till.ui.enabledWhen
import app.groschen.till.ui.label
import app.groschen.till.ui.page
import app.groschen.till.ui.title
import app.groschen.view.ForeignCurrency
import app.groschen.view.ForeignPage
import app.groschen.view.Touch

/** Cash of another currency: what is needed and what a guest may give, or any amount that is typed; or what leaves the till. */
class ForeignScreen(private val ui: Ui) : Screen<ForeignPage> {
    private val head = Slot(ui.context)
    private val offers = Slot(ui.context)

    /** Notes are touched sooner than typed, so digits come after them; money in and out has nothing but digits. */
    private val after = Typing()
    private val foot = Typing()
    override val root: View = ui.page(ui.column(head, offers, after.root), foot.root)

    override fun show(page: ForeignPage) {
        head.show(page.total to page.handIn) { (total, handIn) ->
            val hint = when {
                handIn -> R.string.foreign_hand_in_hint
                total == null -> R.string.top_up_band_first
                else -> R.string.foreign_hint
            }
            ui.column(
                ui.title(ui.text(if (handIn) R.string.foreign_hand_in_title else R.string.foreign)),
                total?.let { ui.label(ui.figures.euros(it), Type.TOTAL).apply { id = R.id.total } },
                ui.label(ui.text(hint)),
            )
        }
        offers.show(page.currencies.map { it.copy(worth = null) }) { currencies ->
            ui.column(*currencies.map(::currency).toTypedArray(), gap = R.dimen.gap_large)
        }
        after.show(page.takeIf { it.total != null })
        foot.show(page.takeIf { it.total == null })
    }

    private fun currency(currency: ForeignCurrency): View {
        val needed = currency.needed?.let { ui.text(R.string.foreign_needed, ui.figures.foreign(it, currency.code)) }
        val rate = ui.text(R.string.foreign_rate, currency.code, ui.figures.millionths(currency.value))
        val given = currency.offers.map { offer ->
            val back = ui.text(R.string.change_back, ui.figures.euros(offer.change))
            ui.button("${ui.figures.foreign(offer.given, currency.code)}\n$back") { ui.touch(Touch.PayForeign(currency.asset, offer.given)) }
        }
        return ui.column(
            ui.label(listOfNotNull(currency.name, needed).joinToString(": "), Type.CAPTION),
            ui.label(rate),
            if (given.isEmpty()) null else Flow(ui, given),
        )
    }

    /** Digits, and what is typed in each currency. */
    private inner class Typing {
        private val ways = Slot(ui.context)
        val root: View = ui.column(Keypad(ui, null).root, ways)

        fun show(page: ForeignPage?) {
            root.visibility = if (page == null) View.GONE else View.VISIBLE
            ways.show(page) { shown -> shown?.let { Flow(ui, it.currencies.map { currency -> way(currency, it) }) } }
        }

        private fun way(currency: ForeignCurrency, page: ForeignPage): View {
            val (words, touch) = when {
                page.handIn -> R.string.foreign_hand_in to Touch.HandIn(currency.asset, page.typed)
                page.total == null -> R.string.foreign_top_up to Touch.TopUpForeign(currency.asset, page.typed)
                else -> R.string.foreign_paid to Touch.PayForeign(currency.asset, page.typed)
            }
            return ui.button(ui.text(words, ui.figures.foreign(page.typed, currency.code)), Weight.MAIN) { ui.touch(touch) }
                .enabledWhen(currency.worth != null)
        }
    }
}
