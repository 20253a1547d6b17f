package app.groschen.till.ui

import android.graphics.Typeface
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.StateListDrawable
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.LinearLayout
import app.groschen.till.R

/**
 * A page: what is longer than the screen scrolls, and what is done with it stays below in the reach of a thumb. With large type all of it
 * scrolls.
 */
fun Ui.page(inside: View, foot: View? = null): View {
    inside.padded(R.dimen.gap_large, R.dimen.gap)
    if (foot == null) return scrolling(inside)
    val below = column(foot).padded(R.dimen.gap_large, R.dimen.gap)
    if (largeType) return scrolling(column(inside, below))
    val frame = LinearLayout(context).apply { orientation = LinearLayout.VERTICAL }
    frame.addView(scrolling(inside), LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
    frame.addView(below, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
    return frame
}

/** Words on a field of their own, with their shape: what has to be seen without standing in the way. */
fun Ui.note(colours: Colours, what: String, now: String? = null): View {
    val side = (Type.TITLE.pixels(context) * 1.4f).toInt()
    val words = column(
        label(what, Type.CAPTION, colours.ink),
        now?.let { label(it, Type.BODY, colours.ink) },
        gap = R.dimen.gap_small,
    )
    return row(ShapeView(context, colours.shape, colour(colours.ink), side), words.stretched()).apply {
        background = box(colours.ground, null)
        padded(R.dimen.gap_large, R.dimen.gap)
    }
}

/** What a wristband does that is held now: a dashed field, as there is one to hold it to. */
fun Ui.holdTarget(words: String): View {
    val side = (Type.TITLE.pixels(context) * 1.6f).toInt()
    return row(
        ShapeView(context, Shape.ARCS, colour(R.color.accent), side),
        label(words, Type.TITLE).stretched(),
        gap = R.dimen.gap_large,
    ).apply {
        background = box(R.color.sheet, null).apply {
            setStroke(size(R.dimen.gap_small), colour(R.color.accent), size(R.dimen.gap_large).toFloat(), size(R.dimen.gap).toFloat())
        }
        minimumHeight = size(R.dimen.touch)
        padded(R.dimen.gap_large, R.dimen.gap_large)
    }
}

/** A button on a coloured ground: it keeps the ground's colour, so that the result stays what is seen first. */
fun Ui.buttonOn(colours: Colours, text: CharSequence, isMain: Boolean, act: () -> Unit): Button = button(text, act = act).apply {
    val line = size(R.dimen.hairline)
    val round = size(R.dimen.corner).toFloat()
    val field = { fill: Int -> GradientDrawable().apply { setColor(fill); cornerRadius = round; setStroke(line, colour(colours.ink)) } }
    background = StateListDrawable().apply {
        addState(intArrayOf(android.R.attr.state_pressed), field(colour(colours.ink) and PALE))
        addState(intArrayOf(android.R.attr.state_focused), field(0).apply { setStroke(3 * line, colour(colours.ink)) })
        addState(intArrayOf(), field(if (isMain) colour(colours.ink) else 0))
    }
    setTextColor(colour(if (isMain) colours.ground else colours.ink))
}

/** A row of a list: what, how much, and how it stands. */
fun Ui.listRow(what: String, below: String?, figure: String?, mark: View? = null, act: (() -> Unit)? = null): View {
    val words = column(label(what, Type.CAPTION), below?.let { label(it, Type.BODY, R.color.quiet) }, gap = R.dimen.gap_small)
    val number = figure?.let { label(it, Type.TITLE).apply { gravity = Gravity.END } }
    val inside = if (largeType) column(words, number, mark, gap = R.dimen.gap_small) else row(words.stretched(), mark, number)
    inside.minimumHeight = size(R.dimen.touch)
    inside.padded(R.dimen.gap, R.dimen.gap)
    if (act != null) {
        inside.background = touchable(R.color.sheet, R.color.tint)
        inside.isFocusable = true
        inside.setOnClickListener { act() }
    }
    return inside
}

/** Two columns of what is so: a name and its figure. */
fun Ui.facts(rows: List<Pair<String, String>>): View = column(
    *rows.map { (name, figure) ->
        val left = label(name, Type.BODY)
        val right = label(figure, Type.CAPTION).apply { gravity = Gravity.END }
        if (largeType) {
            column(left, right.apply { gravity = Gravity.START }, gap = R.dimen.gap_small)
        } else {
            row(left.stretched(), right.stretched(), gap = R.dimen.gap_large)
        }
    }.toTypedArray(),
    gap = R.dimen.gap_large,
)

/** A thin line between two parts. */
fun Ui.line(): View = object : View(context) {
    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) =
        setMeasuredDimension(MeasureSpec.getSize(widthMeasureSpec), this@line.size(R.dimen.hairline))
}.apply { setBackgroundColor(colour(R.color.line)) }

/** The amount that is typed, as large as it is important. */
fun Ui.typedAmount(cents: Long): View = label(figures.euros(cents), Type.TOTAL).apply {
    gravity = Gravity.END
    typeface = Typeface.DEFAULT_BOLD
    id = R.id.total
    contentDescription = text(R.string.typed_amount, figures.euros(cents))
    accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
}

/** A quarter of an ink: a finger's shadow on any ground. */
private const val PALE = 0x40FFFFFF
