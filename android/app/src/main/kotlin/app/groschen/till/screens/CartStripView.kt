package app.groschen.till.screens

import android.annotation.SuppressLint
import android.content.Context
import android.os.Handler
import android.os.Looper
import android.text.TextPaint
import android.text.TextUtils
import android.util.TypedValue
import android.view.Gravity
import android.view.View
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.TextView
import app.groschen.till.R
import app.groschen.till.ui.Flow
import app.groschen.till.ui.Shape
import app.groschen.till.ui.ShapeView
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.button
import app.groschen.till.ui.label
import app.groschen.till.ui.row
import app.groschen.till.ui.stretched
import app.groschen.till.ui.touchable
import app.groschen.view.CartStrip
import app.groschen.view.Hold
import app.groschen.view.Line
import app.groschen.view.OrderRow
import app.groschen.view.Place
import app.groschen.view.Purpose
import app.groschen.view.SalePage
import app.groschen.view.Touch
import kotlin.math.abs

/**
 * Below the tiles: what is in the cart, what it comes to, what a wristband does now. As high with a cart as without one, so that the tiles
 * above keep their places.
 */
class CartStripView(private val ui: Ui) : LinearLayout(ui.context) {
    private val open = OpenCart(ui)
    private val none = Slot(ui.context)
    private val clock = Handler(Looper.getMainLooper())
    private var page: SalePage? = null
    private var canRestore = false

    /** What can be done with the cart, or instead of one: below it, or with large type below the tiles. */
    val buttons = Slot(ui.context)

    init {
        orientation = VERTICAL
        setBackgroundColor(ui.colour(R.color.ground))
        val room = ui.size(R.dimen.gap)
        setPadding(room, 0, room, room)
        val sum = FrameLayout(context)
        // A total of one line, the newest lines above it: with or without a cart. With large type nothing stands below that could move.
        val high = (Type.TOTAL.pixels(context) * TOTAL_LINE + Type.BODY.pixels(context) * LINE).toInt()
        sum.addView(none, FrameLayout.LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT, Gravity.CENTER_VERTICAL))
        sum.addView(open, FrameLayout.LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT))
        addView(sum, LayoutParams(LayoutParams.MATCH_PARENT, if (ui.largeType) LayoutParams.WRAP_CONTENT else high))
        if (!ui.largeType) addView(buttons, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT))
    }

    /** Shows the cart of a page. */
    fun show(shown: SalePage) {
        page = shown
        val cart = shown.cart
        if (cart != null) {
            canRestore = false
            open.show(cart, shown.hold)
        }
        open.visibility = if (cart == null) GONE else VISIBLE
        none.show(if (cart == null) listOf(shown.hold, shown.last, shown.pricesWait) else null) { it?.let { none(shown) } }
        showButtons(shown)
    }

    private fun showButtons(shown: SalePage) {
        val open = shown.cart?.run { listOf(changeable, canSplit, cash, card, purpose) }
        val without = listOf(shown.sameAgain, shown.last != null, shown.parked, canRestore).takeIf { open == null }
        buttons.show(open ?: without) { choices(shown) }
    }

    private fun none(page: SalePage): View {
        val arcs = ShapeView(context, Shape.ARCS, ui.colour(R.color.good_text), 2 * context.arcs())
        val words = LinearLayout(context).apply {
            orientation = VERTICAL
            addView(ui.label(ui.hold(page.hold), Type.CAPTION))
            page.last?.takeUnless { ui.largeType }?.let { addView(ui.label(ui.text(R.string.sale_last, last(it)), Type.BODY)) }
            if (page.pricesWait) addView(ui.label(ui.text(R.string.sale_prices_wait), Type.BODY, R.color.warn_text))
        }
        return ui.row(arcs, words.stretched(), gap = R.dimen.gap_large).apply { gravity = Gravity.CENTER_VERTICAL }
    }

    private fun last(order: OrderRow): String = ui.text(R.string.two_parts, ui.figures.euros(order.total), ui.figures.minute(order.atMs))

    private fun choices(page: SalePage): View? {
        val choices = page.cart?.let(::forCart) ?: withoutCart(page)
        // Side by side as long as type is small: a second row of buttons would push tiles away.
        if (ui.largeType) return Flow(ui, choices)
        // As high as the one that has two lines.
        val high = (Type.CAPTION.pixels(context) * 2 * LINE_HEIGHT).toInt() + 2 * ui.size(R.dimen.gap)
        choices.forEach { it.minimumHeight = high }
        return ui.row(*choices.map { it.stretched() }.toTypedArray())
    }

    private fun withoutCart(page: SalePage): List<View> = buildList {
        val parked = page.parked
        when {
            canRestore -> add(ui.button(ui.text(R.string.cart_restore), Weight.MAIN) { ui.touch(Touch.Restore) })
            parked != null -> add(ui.button(ui.text(R.string.cart_unpark, ui.figures.euros(parked)), Weight.MAIN) { ui.touch(Touch.Unpark) })
            else -> page.sameAgain?.let { add(ui.button(ui.text(R.string.sale_repeat, ui.figures.euros(it))) { ui.touch(Touch.SameAgain) }) }
        }
        if (page.last != null) {
            add(ui.button(ui.text(R.string.undo)) { ui.touch(Touch.Undo) })
            add(ui.button(ui.text(R.string.correct)) { ui.touch(Touch.Correct) })
        } else {
            add(ui.button(ui.text(R.string.history)) { ui.touch(Touch.Open(Place.HISTORY)) })
        }
    }

    private fun forCart(cart: CartStrip): List<View> = buildList {
        val given = if (cart.changeable) R.string.clear else R.string.cart_guest_gone
        add(ui.button(ui.text(given)) { clear(cart) })
        if (cart.canSplit) add(ui.button(ui.text(R.string.split)) { ui.touch(Touch.Open(Place.SPLIT)) })
        if (cart.cash) add(ui.button(ui.text(R.string.tender_cash)) { ui.touch(Touch.PayCash) })
        if (cart.card) add(ui.button(ui.text(R.string.tender_card)) { ui.touch(Touch.PayCard) })
    }

    /** Nobody is asked whether they are sure; for a moment it can be brought back instead. */
    private fun clear(cart: CartStrip) {
        canRestore = cart.changeable && cart.purpose == Purpose.SALE
        ui.touch(Touch.Clear)
        clock.postDelayed(
            {
                canRestore = false
                page?.let(::showButtons)
            },
            RESTORE_MS,
        )
    }

    private companion object {
        const val LINE = 1.8f
        const val LINE_HEIGHT = 1.35f
        const val RESTORE_MS = 5_000L
    }
}

/** The open cart in short: it is made once, and a touch on a tile changes its letters only. */
private class OpenCart(private val ui: Ui) : LinearLayout(ui.context) {
    private val summary = ui.label("", Type.BODY).apply {
        maxLines = 1
        ellipsize = TextUtils.TruncateAt.END
    }
    private val hold = ui.label("", Type.CAPTION, R.color.good_text)
    private val total = FittingText(ui)
    private val arcs = ShapeView(context, Shape.ARCS, ui.colour(R.color.good_text), context.arcs())

    init {
        orientation = VERTICAL
        background = ui.touchable(R.color.ground, R.color.tint, null)
        isFocusable = true
        accessibilityLiveRegion = ACCESSIBILITY_LIVE_REGION_POLITE
        addView(summary)
        val words = ui.row(arcs, hold.stretched())
        val foot = LinearLayout(context)
        val high = (Type.TOTAL.pixels(context) * TOTAL_LINE).toInt()
        if (ui.largeType) {
            foot.orientation = VERTICAL
            foot.addView(total, LayoutParams(LayoutParams.MATCH_PARENT, high))
            foot.addView(words)
        } else {
            foot.gravity = Gravity.CENTER_VERTICAL
            foot.addView(words, LayoutParams(0, LayoutParams.WRAP_CONTENT, HOLD_SHARE))
            foot.addView(total, LayoutParams(0, high, TOTAL_SHARE))
        }
        addView(foot)
        setOnClickListener { ui.touch(Touch.Open(Place.CART)) }
    }

    fun show(cart: CartStrip, held: Hold) {
        val lines = cart.lines.map { ui.line(it) }
        val figure = ui.figures.euros(cart.total)
        summary.change((listOfNotNull(purpose(cart)) + lines).joinToString(" · "))
        // The longest words need the room of the sign beside them.
        val isLong = held == Hold.SAME_BAND
        arcs.visibility = if (isLong) GONE else VISIBLE
        hold.change(if (isLong) ui.text(R.string.hold_same_short) else ui.hold(held))
        if (total.text.toString() != figure) {
            total.text = figure
            // Its size follows its letters; a view of a given width is not measured again by itself.
            total.requestLayout()
        }
        val says = ui.text(if (cart.total < 0) R.string.cart_credit_says else R.string.cart_total_says, figure)
        contentDescription = "${ui.text(R.string.cart_details)}. $says. ${lines.joinToString(", ")}. ${ui.hold(held)}"
    }

    /** What is so about this cart when it is not simply a sale. */
    private fun purpose(cart: CartStrip): String? = when {
        cart.purpose == Purpose.CORRECT -> ui.text(R.string.correct)
        cart.purpose == Purpose.CANCEL -> ui.text(R.string.kind_cancel)
        cart.total < 0 -> ui.text(R.string.cart_credit)
        else -> null
    }

    /** The same letters again would have the whole page laid out anew. */
    private fun TextView.change(words: String) {
        if (text.toString() != words) text = words
    }

    private companion object {
        const val HOLD_SHARE = 5f
        const val TOTAL_SHARE = 8f
    }
}

/** A total that becomes smaller before it is cut off, but never small. */
@SuppressLint("AppCompatCustomView", "ViewConstructor")
private class FittingText(ui: Ui) : TextView(ui.context) {
    private val most = Type.TOTAL.pixels(context)
    private val least = Type.TITLE.pixels(context)
    private val ruler = TextPaint()

    init {
        id = R.id.total
        Type.TOTAL.on(this)
        setTextColor(ui.colour(R.color.ink))
        maxLines = 1
        includeFontPadding = false
        gravity = Gravity.END or Gravity.CENTER_VERTICAL
        ruler.set(paint)
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val needs = ruler.measureText(text.toString())
        val size = if (needs <= 0) most else (most * MeasureSpec.getSize(widthMeasureSpec) / (needs * SPARE)).coerceIn(least, most)
        if (size != textSize) setTextSize(TypedValue.COMPLEX_UNIT_PX, size)
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}

private fun Context.arcs(): Int = (Type.CAPTION.pixels(this) * ARCS_SIZE).toInt()

private const val ARCS_SIZE = 1.5f
private const val TOTAL_LINE = 1.2f

/** Letters that are smaller are not narrower to the pixel. */
private const val SPARE = 1.03f

/** A line of a cart in short: `3 × Pils`. */
internal fun Ui.line(line: Line): String {
    val pieces = figures.count(abs(line.quantity).toLong())
    return text(if (line.quantity < 0) R.string.cart_line_back else R.string.cart_line, pieces, line.name)
}

/** What a wristband does that is held now. */
internal fun Ui.hold(hold: Hold): String = text(
    when (hold) {
        Hold.BALANCE -> R.string.hold_balance
        Hold.PAYS, Hold.CREDITED -> R.string.hold_here
        Hold.SAME_BAND -> R.string.hold_same
        Hold.NEXT_BAND -> R.string.hold_next
        Hold.PAID_BAND -> R.string.hold_guest
        Hold.NOTHING -> R.string.hold_nothing
    },
)
