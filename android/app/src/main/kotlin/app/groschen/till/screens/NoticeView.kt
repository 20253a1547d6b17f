package app.groschen.till.screens

import android.annotation.SuppressLint
import android.graphics.drawable.GradientDrawable
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.ScrollView
import app.groschen.till.R
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Flow
import app.groschen.till.ui.Ring
import app.groschen.till.ui.ShapeView
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.buttonOn
import app.groschen.till.ui.centred
import app.groschen.till.ui.column
import app.groschen.till.ui.label
import app.groschen.till.ui.row
import app.groschen.till.ui.words
import app.groschen.till.words.Said
import app.groschen.till.words.Untouched
import app.groschen.till.words.asksAgain
import app.groschen.till.words.blocked
import app.groschen.till.words.details
import app.groschen.till.words.headline
import app.groschen.till.words.left
import app.groschen.till.words.money
import app.groschen.till.words.refusal
import app.groschen.till.words.untouchedBy
import app.groschen.view.Balance
import app.groschen.view.Done
import app.groschen.view.DoneKind
import app.groschen.view.Notice
import app.groschen.view.Page
import app.groschen.view.Refusal
import app.groschen.view.Touch

/**
 * What the last hold or touch came to: a colour that fills the screen, a shape and words.
 *
 * What was booked leaves the upper tiles free, because the next guest's first touch is already on its way; all else covers the page, because
 * nothing goes on before it is read.
 */
class NoticeView(private val ui: Ui) : FrameLayout(ui.context) {
    private var shown: Notice = Notice.None

    init {
        id = R.id.result
        accessibilityLiveRegion = ACCESSIBILITY_LIVE_REGION_ASSERTIVE
        visibility = GONE
    }

    /** Shows a notice over a page. */
    fun show(notice: Notice, page: Page) {
        if (notice == shown) return
        shown = notice
        val overTiles = page is Page.Sale
        val aboutMoney = page is Page.TopUp || page is Page.PayOut
        removeAllViews()
        visibility = if (notice == Notice.None) GONE else VISIBLE
        when (notice) {
            Notice.None -> Unit
            Notice.Reading -> strip(Colours.INFO, ui.text(R.string.hold_keep))
            is Notice.Done -> done(notice.v1, overTiles)
            is Notice.Refused -> refused(notice.refusal)
            is Notice.Balance -> balance(notice.v1)
            is Notice.Already -> cover(
                Colours.INFO,
                ui.text(if (aboutMoney) R.string.already_booked else R.string.already_paid, ui.figures.minute(notice.atMs)),
                listOf(ui.text(R.string.already_not_twice, ui.figures.euros(notice.total))),
                goOn(Colours.INFO),
            )
            is Notice.NextPart -> nextPart(notice)
            is Notice.HoldAgain -> holdAgain(notice, aboutMoney)
            is Notice.LastCart -> lastCart(notice)
            is Notice.CopyReceived -> cover(
                Colours.GOOD,
                ui.text(R.string.evacuate_received),
                listOf(
                    ui.text(R.string.three_parts, notice.till, ui.counted(R.plurals.bookings, notice.orders), ui.figures.euros(notice.total)),
                    ui.text(R.string.evacuate_taken_hint),
                ),
                goOn(Colours.GOOD),
            )
            Notice.OwnBand -> cover(
                Colours.INFO,
                ui.text(R.string.own_band),
                listOf(ui.text(R.string.own_band_pay), ui.text(R.string.nothing_charged)),
                listOf(
                    ui.buttonOn(Colours.INFO, ui.text(R.string.own_band_go), isMain = true) { ui.touch(Touch.PayWithOwn) },
                    ui.buttonOn(Colours.INFO, ui.text(R.string.cancel), isMain = false) { ui.touch(Touch.Dismiss) },
                ),
            )
            is Notice.SwapCashier -> cover(
                Colours.INFO,
                ui.text(R.string.swap_cashier_title, notice.name),
                emptyList(),
                listOf(
                    ui.buttonOn(Colours.INFO, ui.text(R.string.swap_cashier_go, notice.name), isMain = true) { ui.touch(Touch.SwapCashier) },
                    ui.buttonOn(Colours.INFO, ui.text(R.string.cancel), isMain = false) { ui.touch(Touch.Dismiss) },
                ),
            )
        }
    }

    private fun done(done: Done, overTiles: Boolean) {
        val counted = done.kind as? DoneKind.DrawerCounted
        val colours = if (counted == null || counted.counted == counted.expected) Colours.GOOD else Colours.INFO
        val buttons = buildList {
            if (done.canUndo) add(ui.buttonOn(colours, ui.text(R.string.undo), isMain = false) { ui.touch(Touch.Undo) })
            if (done.canCorrect) add(ui.buttonOn(colours, ui.text(R.string.correct), isMain = false) { ui.touch(Touch.Correct) })
            done.receipt?.let { order -> add(ui.buttonOn(colours, ui.text(R.string.receipt), isMain = false) { ui.touch(Touch.Receipt(order)) }) }
            if (isEmpty() || done.change.let { it != null && it > 0 && done.kind == DoneKind.Paid }) addAll(goOn(colours))
        }
        val below = listOfNotNull(ui.left(done)) + ui.details(done) + listOfNotNull(done.band?.let { ui.text(R.string.band_ending, it) })
        val shape = ShapeView(context, colours.shape, ui.colour(colours.ink), side(!overTiles && !ui.largeType))
        // Hands count change out now: it is what the eye looks for, and what was paid stands above it.
        val change = done.change?.takeIf { it > 0 && done.kind == DoneKind.Paid }?.let { ui.text(R.string.give_back, ui.figures.euros(it)) }
        val above = change?.let { ui.headline(done) }
        val panel = panel(colours, change ?: ui.headline(done), below - listOfNotNull(change).toSet(), buttons, shape, above) { ui.touch(Touch.Dismiss) }
        if (overTiles && !ui.largeType) {
            // The frame around what is left of the page belongs to the colour too: seen from the corner of an eye, all of it is green.
            addView(Edge(ui, colours, ui.size(R.dimen.gap)), LayoutParams(MATCH_PARENT, MATCH_PARENT))
            addView(panel, LayoutParams(MATCH_PARENT, (resources.displayMetrics.heightPixels * PANEL_SHARE).toInt(), Gravity.BOTTOM))
        } else {
            addView(panel, LayoutParams(MATCH_PARENT, MATCH_PARENT))
        }
    }

    private fun refused(refusal: Refusal) {
        val said = ui.refusal(refusal)
        val colours = if (asksAgain(refusal)) Colours.AGAIN else Colours.BAD
        val below = buildList {
            add(said.now)
            when (untouchedBy(refusal)) {
                Untouched.CHARGED -> add(ui.text(R.string.nothing_charged))
                Untouched.BOOKED -> add(ui.text(R.string.nothing_booked))
                Untouched.UNSAID -> Unit
            }
            if (refusal is Refusal.TooLow) {
                val has = ui.figures.euros(refusal.has)
                val about = refusal.asOfMs?.let { ui.text(R.string.balance_about, has, ui.figures.minute(it)) } ?: has
                add(ui.text(R.string.on_the_band, about))
            }
        }
        val drops = (refusal as? Refusal.TooLow)?.enoughWithout.orEmpty().map { without ->
            ui.buttonOn(colours, ui.text(R.string.drop_is_enough, without.name), isMain = false) { ui.touch(Touch.Minus(without.article)) }
        }
        val clear = if (refusal is Refusal.TooLow || refusal == Refusal.HoldSame) {
            listOf(ui.buttonOn(colours, ui.text(R.string.clear), isMain = false) { ui.touch(Touch.Clear) })
        } else {
            emptyList()
        }
        cover(colours, said.what, below, drops + goOn(colours) + clear)
    }

    private fun balance(balance: Balance) {
        val blocked: Said? = balance.blocked?.let(ui::blocked)
        val colours = if (blocked == null) Colours.INFO else Colours.BAD
        val money = ui.money(balance)
        val band = ui.text(R.string.band_ending, balance.band)
        val below = if (blocked == null) {
            ui.details(balance) + band
        } else {
            listOf(blocked.now, ui.text(R.string.on_the_band, money)) + ui.details(balance) + band
        }
        val above = if (blocked == null && balance.money != null) ui.text(R.string.balance) else null
        cover(colours, blocked?.what ?: money, below, goOn(colours), above)
    }

    private fun nextPart(notice: Notice.NextPart) {
        val colours = Colours.AGAIN
        val of = notice.of
        val state = of?.let { ui.text(R.string.split_state, ui.figures.count(notice.have.toLong()), ui.figures.count(it.toLong())) }
            ?: ui.text(R.string.split_state_open, ui.figures.count(notice.have.toLong()))
        val ring = Ring(ui, notice.have, of ?: (notice.have + 1), ui.colour(colours.ink), side())
        val below = listOf(ui.text(R.string.split_missing, ui.figures.euros(notice.missing)), ui.text(R.string.split_nobody_yet))
        val cancel = ui.buttonOn(colours, ui.text(R.string.cancel), isMain = false) { ui.touch(Touch.Clear) }
        addView(panel(colours, state, below, listOf(cancel), ring), LayoutParams(MATCH_PARENT, MATCH_PARENT))
    }

    private fun holdAgain(notice: Notice.HoldAgain, aboutMoney: Boolean) {
        val of = ui.text(R.string.two_parts, ui.text(R.string.band_ending, notice.band), ui.figures.euros(notice.total))
        val notYet = if (aboutMoney) R.string.hold_again_no_money else R.string.hold_again_nothing_yet
        val below = listOf(ui.text(notYet), of, ui.text(R.string.hold_again_why))
        val gone = ui.buttonOn(Colours.AGAIN, ui.text(R.string.cart_guest_gone), isMain = false) { ui.touch(Touch.Clear) }
        cover(Colours.AGAIN, ui.text(R.string.hold_same), below, listOf(gone))
    }

    private fun lastCart(notice: Notice.LastCart) {
        val (total, time) = ui.figures.euros(notice.total) to ui.figures.second(notice.atMs)
        val colours = if (notice.booked) Colours.GOOD else Colours.AGAIN
        val what = ui.text(if (notice.booked) R.string.last_booked else R.string.last_not_booked)
        val below = ui.text(if (notice.booked) R.string.last_when else R.string.last_hold_again, total, time)
        cover(colours, what, listOf(below), goOn(colours))
    }

    private fun goOn(colours: Colours): List<View> =
        listOf(ui.buttonOn(colours, ui.text(R.string.go_on), isMain = true) { ui.touch(Touch.Dismiss) })

    private fun strip(colours: Colours, what: String) {
        val inside = ui.row(
            ShapeView(context, Colours.AGAIN.shape, ui.colour(colours.ink), side(false)),
            ui.label(what, Type.HEADLINE, colours.ink),
            gap = R.dimen.gap_large,
        )
        inside.gravity = Gravity.CENTER
        inside.setBackgroundColor(ui.colour(colours.ground))
        // As high as the cart it lies over: what it does not cover of a total would be read wrong.
        inside.minimumHeight = 3 * ui.size(R.dimen.touch)
        addView(inside, LayoutParams(MATCH_PARENT, WRAP_CONTENT, Gravity.BOTTOM))
    }

    private fun cover(colours: Colours, what: String, below: List<String>, buttons: List<View>, above: String? = null) {
        val shape = ShapeView(context, colours.shape, ui.colour(colours.ink), side())
        val panel = panel(colours, what, below, buttons, shape, above)
        // Nothing behind it is touched while it is there.
        panel.isClickable = true
        addView(panel, LayoutParams(MATCH_PARENT, MATCH_PARENT))
    }

    private fun panel(
        colours: Colours,
        what: String,
        below: List<String>,
        buttons: List<View>,
        shape: View,
        above: String? = null,
        pressed: (() -> Unit)? = null,
    ): LinearLayout {
        val words = ui.column(
            LinearLayout(context).apply { gravity = Gravity.CENTER; addView(shape) },
            above?.let { ui.words(it, Type.TITLE, colours.ink).centred() },
            ui.words(what, if (what.length <= SHORT) Type.TOTAL else Type.NUMBER, colours.ink).centred(),
            *below.mapIndexed { place, line ->
                ui.words(line, if (place == 0) Type.TITLE else Type.CAPTION, colours.ink).centred()
            }.toTypedArray(),
            gap = R.dimen.gap,
        )
        words.gravity = Gravity.CENTER
        if (pressed != null) {
            words.setOnClickListener { pressed() }
            words.isFocusable = false
            words.contentDescription = (listOf(what) + below).joinToString(". ")
        }
        val room = ui.size(R.dimen.gap_large)
        val foot = Flow(ui, buttons, if (buttons.size <= 3 && !ui.largeType) 3 else 2)
        // Many buttons in large type would leave no room for the words: then they come after them.
        val scrollsWhole = ui.largeType && buttons.size > 1
        if (scrollsWhole) words.addView(foot, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        val scroll = ScrollView(context).apply {
            isFillViewport = true
            addView(words, LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        }
        return LinearLayout(context).apply {
            orientation = LinearLayout.VERTICAL
            setBackgroundColor(ui.colour(colours.ground))
            setPadding(room, room, room, room)
            addView(scroll, LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
            if (!scrollsWhole) addView(foot, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        }
    }

    /** On a whole screen the shape is seen from the corner of an eye; beside tiles the amount needs the room. */
    private fun side(whole: Boolean = !ui.largeType): Int = ui.size(if (whole) R.dimen.shape_large else R.dimen.shape_small)

    private companion object {
        /** So much of the screen is the result's when tiles stay free above it. */
        const val PANEL_SHARE = 0.62f

        /** Up to so many letters a headline is written as large as a total. */
        const val SHORT = 18
    }
}

/** A thick frame in a result's colour, through which everything is touched. */
@SuppressLint("ViewConstructor")
private class Edge(ui: Ui, colours: Colours, thick: Int) : View(ui.context) {
    init {
        background = GradientDrawable().apply { setStroke(thick, ui.colour(colours.ground)) }
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }
}
