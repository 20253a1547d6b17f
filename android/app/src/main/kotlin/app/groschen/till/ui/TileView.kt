package app.groschen.till.ui

import android.annotation.SuppressLint
import android.graphics.Typeface
import android.graphics.drawable.GradientDrawable
import android.text.Layout
import android.text.TextUtils
import android.view.Gravity
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import app.groschen.till.R
import app.groschen.view.Tile
import app.groschen.view.Touch

/**
 * An article on the screen. The face adds one, the strip at its side, there as soon as pieces are in the cart, takes one away.
 *
 * Its height is that of a tile in the cart from the start, so that no tile ever moves under a finger.
 */
class TileView(private val ui: Ui, private val isBack: Boolean) : LinearLayout(ui.context) {
    private val letter = ui.label("", Type.SMALL, R.color.on_tile).centred().apply {
        typeface = Typeface.DEFAULT_BOLD
        setPadding(0, ui.size(R.dimen.gap), 0, 0)
        gravity = Gravity.CENTER_HORIZONTAL
    }
    private val caption = ui.label("", Type.CAPTION).apply {
        hyphenationFrequency = Layout.HYPHENATION_FREQUENCY_FULL
        maxLines = LINES
        ellipsize = TextUtils.TruncateAt.END
    }
    private val price = ui.label("", Type.CAPTION).apply { typeface = Typeface.create("sans-serif", Typeface.NORMAL) }
    private val age = ui.label("", Type.SMALL)
    private val foot = ui.row(price.stretched(), age, gap = R.dimen.gap_small)
    private val face = Gloved(ui).apply { setOnClickListener { tile?.let { ui.touch(Touch.Tile(it.article)) } } }
    private val count = ui.label("", Type.TITLE).centred().apply { includeFontPadding = false }
    private val less = Gloved(ui).apply { setOnClickListener { tile?.let { ui.touch(Touch.Minus(it.article)) } } }
    private var tile: Tile? = null

    init {
        background = ui.box(R.color.sheet, R.color.quiet)
        clipToOutline = true
        val edge = ui.size(R.dimen.hairline)
        setPadding(edge, edge, edge, edge)
        addView(letter, LayoutParams((Type.SMALL.pixels(context) * BAR).toInt(), MATCH_PARENT))
        face.addView(caption, LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        face.addView(View(ui.context), LayoutParams(MATCH_PARENT, 0, 1f))
        face.addView(foot, LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        face.padded(R.dimen.gap_small)
        addView(face, LayoutParams(0, MATCH_PARENT, 1f))
        less.background = ui.touchable(R.color.tint, R.color.line, null)
        less.gravity = Gravity.CENTER
        less.addView(count, LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        less.addView(ui.label(MINUS, Type.HEADLINE).centred().apply { includeFontPadding = false }, LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        addView(less, LayoutParams(ui.size(R.dimen.touch), MATCH_PARENT))
    }

    /** Shows an article. */
    fun show(shown: Tile) {
        if (shown == tile) return
        val named = if (isBack) ui.text(R.string.tile_back, shown.name) else shown.name
        val cost = shown.price?.let(ui.figures::euros) ?: ui.text(R.string.tile_type_price)
        if (tile?.colour != shown.colour || tile?.letter != shown.letter) {
            letter.text = if (isBack) RETURN else shown.letter
            letter.background = colourOf(shown.colour)
        }
        caption.text = unbroken(named)
        price.text = cost
        age.text = if (shown.minAge > 0) ui.text(R.string.tile_age, shown.minAge) else ""
        age.visibility = if (shown.minAge > 0) VISIBLE else GONE
        count.text = ui.figures.count(shown.count.toLong())
        inCart(shown.count > 0)
        less.contentDescription = ui.text(R.string.tile_less, named)
        face.contentDescription = if (shown.count > 0) {
            context.resources.getQuantityString(R.plurals.tile_count_says, shown.count, named, cost, shown.count)
        } else {
            ui.text(R.string.tile_says, named, cost)
        }
        tile = shown
    }

    /** The article that is shown. */
    val article: Long?
        get() = tile?.article

    /** How high it has to be at a width, also with pieces in the cart. */
    fun heightAt(width: Int): Int {
        val heights = listOf(true, false).map { within ->
            inCart(within)
            measure(MeasureSpec.makeMeasureSpec(width, MeasureSpec.EXACTLY), MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED))
            measuredHeight
        }
        inCart((tile?.count ?: 0) > 0)
        return heights.max()
    }

    /** With pieces in the cart the minus needs the room of the price: what it comes to stands in the cart. */
    private fun inCart(within: Boolean) {
        less.visibility = if (within) VISIBLE else GONE
        foot.visibility = if (within) GONE else VISIBLE
    }

    /** A number keeps its unit: `0,4 l` is never on two lines. */
    private fun unbroken(name: String): String = name.replace(NUMBER_AND_UNIT, "$1\u00a0$2")

    private fun colourOf(colour: Int) = GradientDrawable().apply {
        setColor(ui.colour(COLOURS[Math.floorMod(colour, COLOURS.size)]))
        val round = ui.size(R.dimen.corner).toFloat()
        cornerRadii = floatArrayOf(round, round, 0f, 0f, 0f, 0f, round, round)
    }

    private companion object {
        /** The letter's field, in heights of the letter. */
        const val BAR = 1.5f
        const val LINES = 3
        val NUMBER_AND_UNIT = Regex("(\\d) (\\p{L})")
        const val MINUS = "\u2212"
        const val RETURN = "\u21a9"
        val COLOURS = intArrayOf(
            R.color.tile_0, R.color.tile_1, R.color.tile_2, R.color.tile_3, R.color.tile_4, R.color.tile_5, R.color.tile_6, R.color.tile_7,
        )
    }
}

/** A part of a tile that is pressed by fingers only, see [Gloves]. To TalkBack and keys it is a button. */
class Gloved(ui: Ui) : LinearLayout(ui.context) {
    private val gloves = Gloves()

    init {
        orientation = VERTICAL
        isClickable = true
        isFocusable = true
        background = ui.touchable(R.color.sheet, R.color.line, null)
    }

    @SuppressLint("ClickableViewAccessibility")
    override fun onTouchEvent(event: MotionEvent): Boolean {
        if (gloves.ignores(event)) {
            val none = MotionEvent.obtain(event).apply { action = MotionEvent.ACTION_CANCEL }
            return super.onTouchEvent(none).also { none.recycle() }
        }
        return super.onTouchEvent(event)
    }

    override fun getAccessibilityClassName(): CharSequence = Button::class.java.name

    /** What is inside is said by this part as one. */
    override fun onViewAdded(child: View) {
        super.onViewAdded(child)
        child.importantForAccessibility = if (child is TextView || child is LinearLayout) {
            IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
        } else {
            IMPORTANT_FOR_ACCESSIBILITY_NO
        }
    }
}
