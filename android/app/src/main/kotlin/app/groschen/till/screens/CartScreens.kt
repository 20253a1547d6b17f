package app.groschen.till.screens

import android.content.res.Configuration
import android.view.Gravity
import android.view.View
import android.widget.LinearLayout
import app.groschen.till.R
import app.groschen.till.ui.Flow
import app.groschen.till.ui.Keypad
import app.groschen.till.ui.Ring
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.button
import app.groschen.till.ui.centred
import app.groschen.till.ui.column
import app.groschen.till.ui.holdTarget
import app.groschen.till.ui.label
import app.groschen.till.ui.line
import app.groschen.till.ui.page
import app.groschen.till.ui.row
import app.groschen.till.ui.seenBy
import app.groschen.till.ui.stretched
import app.groschen.till.ui.title
import app.groschen.till.ui.typedAmount
import app.groschen.view.CartPage
import app.groschen.view.Line
import app.groschen.view.PadPage
import app.groschen.view.Place
import app.groschen.view.SplitPage
import app.groschen.view.Tip
import app.groschen.view.TipOffer
import app.groschen.view.Touch
import java.util.Locale
import kotlin.math.abs

/** A price is typed for an article that has none. */
class FreePriceScreen(private val ui: Ui) : Screen<PadPage> {
    private val head = Slot(ui.context)
    private val keys = Keypad(ui, ui.text(R.string.free_price_add))
    override val root: View = ui.page(head, keys.root)

    override fun show(page: PadPage) {
        head.show(page) { ui.column(ui.title(ui.text(R.string.free_price_title, it.name)), ui.typedAmount(it.typed)) }
        keys.ready(page.ready)
    }
}

/** The cart, line by line, or turned to the guest. */
class CartScreen(private val ui: Ui) : Screen<CartPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: CartPage) = slot.show(page) { if (it.forGuest) guest(it) else lines(it) }

    private fun lines(page: CartPage): View {
        val cart = page.cart
        val rows = page.lines.flatMap { listOf(of(it, cart.changeable), ui.line()) }
        val total = ui.row(
            ui.label(ui.text(if (cart.total < 0) R.string.cart_credit else R.string.cart_total), Type.TITLE).stretched(),
            ui.label(ui.figures.euros(cart.total), Type.NUMBER).apply { id = R.id.total },
        )
        val vouchers = cart.useVouchers?.let { on ->
            ui.column(
                ui.label(ui.text(if (on) R.string.cart_vouchers_used else R.string.cart_vouchers_saved)),
                ui.button(ui.text(if (on) R.string.cart_vouchers_off else R.string.cart_vouchers_on)) { ui.touch(Touch.Vouchers(!on)) },
            )
        }
        val choices = buildList {
            if (cart.cash) add(ui.button(ui.text(R.string.cart_pay_cash)) { ui.touch(Touch.PayCash) })
            if (cart.card) add(ui.button(ui.text(R.string.cart_pay_card)) { ui.touch(Touch.PayCard) })
            if (cart.foreign) add(ui.button(ui.text(R.string.foreign)) { ui.touch(Touch.Open(Place.FOREIGN)) })
            if (cart.canSplit) add(ui.button(ui.text(R.string.split)) { ui.touch(Touch.Open(Place.SPLIT)) })
            if (cart.changeable) add(ui.button(ui.text(R.string.cart_park)) { ui.touch(Touch.Park) })
            add(ui.button(ui.text(R.string.cart_guest_view)) { ui.touch(Touch.TurnToGuest) })
            val clear = if (cart.changeable) R.string.clear else R.string.cart_guest_gone
            add(ui.button(ui.text(clear), Weight.GRAVE) { ui.touch(Touch.Clear) })
        }
        return ui.page(
            ui.column(ui.title(ui.text(R.string.cart)), *rows.toTypedArray(), vouchers, page.tip?.let { tip(it, ui.label(ui.text(R.string.tip))) }),
            ui.column(total, Flow(ui, choices)),
        )
    }

    private fun of(line: Line, changeable: Boolean): View {
        val words = ui.column(ui.label(ui.line(line), Type.CAPTION), deposit(line), gap = R.dimen.gap_small)
        val sum = line.total?.let { ui.label(ui.figures.euros(it), Type.CAPTION) }
        val head = ui.row(words.stretched(), sum)
        if (!changeable) return head
        val less = ui.button("\u2212") { ui.touch(Touch.Minus(line.article)) }
        less.contentDescription = ui.text(R.string.stepper_less, line.name)
        val more = ui.button("+") { ui.touch(Touch.Tile(line.article)) }
        more.contentDescription = ui.text(R.string.stepper_more, line.name)
        val drop = ui.button(ui.text(R.string.cart_drop)) { ui.touch(Touch.ClearLine(line.article)) }
        drop.contentDescription = ui.text(R.string.cart_line_drop, line.name)
        return ui.column(head, Flow(ui, listOf(drop, less, more), 3))
    }

    private fun deposit(line: Line): View? =
        line.deposit.takeIf { it != 0L }?.let { ui.label(ui.text(R.string.line_with_deposit, ui.figures.euros(it))) }

    /** What the guest may give on top: nothing is chosen beforehand, and whoever has chosen may think better of it. */
    private fun tip(tip: Tip, heading: View): View {
        val offers = tip.offers.map { offer ->
            ui.button(offered(offer), if (offer.amount == tip.given) Weight.MAIN else Weight.PLAIN) { ui.touch(Touch.Tip(offer.amount)) }
        }
        val other = ui.button(ui.text(R.string.tip_other)) { ui.touch(Touch.TypeTip) }
        val none = ui.button(ui.text(R.string.tip_none)) { ui.touch(Touch.Tip(0)) }
        return ui.column(heading, Flow(ui, offers + if (tip.given == 0L) listOf(other) else listOf(other, none)))
    }

    private fun offered(offer: TipOffer): String = when (val makes = offer.makes) {
        null -> ui.text(R.string.tip_plus, ui.figures.euros(offer.amount))
        0L -> ui.text(R.string.tip_deposit, ui.figures.euros(offer.amount))
        else -> ui.text(R.string.tip_makes, ui.figures.euros(makes))
    }

    /** What the guest reads, from the other side of the counter: both languages, and figures as large as they go. */
    private fun guest(page: CartPage): View {
        val other = if (ui.context.resources.configuration.locales[0].language == "de") Locale.ENGLISH else Locale.GERMAN
        val isNight = ui.context.resources.configuration.uiMode and NIGHT_MASK == NIGHT
        val foreign = Ui(ui.context.seenBy(other, isNight), "UTC", touch = ui.touch)
        val ask = if (page.cart.total < 0) R.string.guest_view_credit else R.string.guest_view_total
        val rows = page.lines.map { line ->
            ui.row(
                ui.column(ui.label(ui.line(line), Type.TITLE), deposit(line), gap = R.dimen.gap_small).stretched(),
                ui.label(line.total?.let(ui.figures::euros).orEmpty(), Type.TITLE),
                gap = R.dimen.gap_large,
            )
        }
        val amount = ui.label(ui.figures.euros(abs(page.cart.total)), Type.GUEST).centred().apply { id = R.id.total }
        val inside = ui.column(
            ui.label(ui.text(ask), Type.HEADLINE).centred(),
            ui.label(foreign.text(ask), Type.TITLE).centred(),
            amount,
            ui.column(*rows.toTypedArray()),
            gap = R.dimen.gap_large,
        ).apply { gravity = Gravity.CENTER }
        val back = ui.button(ui.text(R.string.guest_view_leave)) { ui.touch(Touch.TurnToGuest) }
        // Below the lines, so that it is there however many they are.
        val both = ui.text(R.string.two_parts, ui.text(R.string.tip), foreign.text(R.string.tip))
        return ui.page(inside, ui.column(page.tip?.let { tip(it, ui.label(both, Type.CAPTION).centred()) }, back))
    }

    private companion object {
        const val NIGHT_MASK = Configuration.UI_MODE_NIGHT_MASK
        const val NIGHT = Configuration.UI_MODE_NIGHT_YES
    }
}

/** The cart is paid by several wristbands: all of them, or none. */
class SplitScreen(private val ui: Ui) : Screen<SplitPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: SplitPage) = slot.show(page) {
        val total = ui.label(ui.figures.euros(page.total), Type.TOTAL).centred()
        if (page.parts == null && page.paid.isEmpty()) choose(total) else running(page, total)
    }

    private fun choose(total: View): View {
        val ways = (2..WAYS_MOST).map { parts ->
            ui.button(ui.figures.count(parts.toLong()), Weight.MAIN) { ui.touch(Touch.SplitInto(parts)) }.apply {
                Type.NUMBER.on(this)
                contentDescription = ui.counted(R.plurals.split_ways_says, parts, parts)
            }
        }
        return ui.page(
            ui.column(
                ui.title(ui.text(R.string.split_title)), total, ui.label(ui.text(R.string.split_hint), Type.CAPTION),
                Flow(ui, ways, 2), gap = R.dimen.gap_large,
            ),
        )
    }

    private fun running(page: SplitPage, total: View): View {
        val have = page.paid.size
        val state = page.parts?.let { ui.text(R.string.split_state, ui.figures.count(have.toLong()), ui.figures.count(it.toLong())) }
            ?: ui.text(R.string.split_state_open, ui.figures.count(have.toLong()))
        val side = 2 * ui.size(R.dimen.shape)
        val ring = LinearLayout(ui.context).apply {
            gravity = Gravity.CENTER
            addView(Ring(ui, have, page.parts ?: (have + 1), ui.colour(R.color.accent), side))
        }
        val paid = page.paid.map { part ->
            val band = ui.text(R.string.band_ending, part.band)
            ui.label(if (part.amount == 0L) band else ui.text(R.string.split_part, band, ui.figures.euros(part.amount)), Type.CAPTION)
        }
        val missing = ui.label(ui.text(R.string.split_missing, ui.figures.euros(page.missing)), Type.TITLE)
        return ui.page(
            ui.column(
                total, ring,
                ui.title(state).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE },
                *paid.toTypedArray(), missing, ui.label(ui.text(R.string.split_nobody_yet)),
            ),
            ui.column(ui.holdTarget(ui.text(R.string.hold_next)), ui.button(ui.text(R.string.cancel)) { ui.touch(Touch.Clear) }),
        )
    }

    private companion object {
        const val WAYS_MOST = 5
    }
}
