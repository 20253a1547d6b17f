package app.groschen.till.ui

import android.graphics.Color
import android.graphics.drawable.ColorDrawable
import android.graphics.drawable.Drawable
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.StateListDrawable
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import android.widget.ScrollView
import app.groschen.till.R

/** Views below each other, as wide as there is room. */
fun Ui.column(vararg inside: View?, gap: Int = R.dimen.gap): LinearLayout = stack(LinearLayout.VERTICAL, gap).apply {
    inside.filterNotNull().forEach { addView(it, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT, it.weight())) }
}

/** Views beside each other; [stretched] ones share what is left. */
fun Ui.row(vararg inside: View?, gap: Int = R.dimen.gap): LinearLayout = stack(LinearLayout.HORIZONTAL, gap).apply {
    gravity = Gravity.CENTER_VERTICAL
    inside.filterNotNull().forEach { view ->
        val weight = view.weight()
        addView(view, LinearLayout.LayoutParams(if (weight > 0) 0 else WRAP_CONTENT, WRAP_CONTENT, weight))
    }
}

/** This view takes what room is left in its row or column. */
fun <V : View> V.stretched(): V = apply { setTag(R.id.weight, 1f) }

private fun View.weight(): Float = getTag(R.id.weight) as? Float ?: 0f

private fun Ui.stack(direction: Int, gap: Int): LinearLayout = LinearLayout(context).apply {
    orientation = direction
    showDividers = LinearLayout.SHOW_DIVIDER_MIDDLE
    dividerDrawable = GradientDrawable().apply { setSize(size(gap), size(gap)) }
}

/** Room around. */
fun <V : View> V.padded(horizontal: Int, vertical: Int = horizontal): V = apply {
    val (beside, above) = context.size(horizontal) to context.size(vertical)
    setPadding(beside, above, beside, above)
}

/** A field with a border. */
fun Ui.box(fill: Int, line: Int? = R.color.line): GradientDrawable = GradientDrawable().apply {
    setColor(colour(fill))
    cornerRadius = size(R.dimen.corner).toFloat()
    if (line != null) setStroke(size(R.dimen.hairline), colour(line))
}

/** The same field at rest, under a finger and found by the keyboard. */
fun Ui.touchable(fill: Int, pressed: Int, line: Int? = R.color.line): Drawable = StateListDrawable().apply {
    addState(intArrayOf(android.R.attr.state_pressed), box(pressed, R.color.ink))
    addState(intArrayOf(android.R.attr.state_focused), box(fill).apply { setStroke(size(R.dimen.gap_small), colour(R.color.focus)) })
    addState(intArrayOf(), box(fill, line))
}

/** What is longer than the screen can be scrolled; what is shorter fills it. */
fun Ui.scrolling(inside: View): ScrollView = ScrollView(context).apply {
    isFillViewport = true
    clipToPadding = false
    addView(inside, ViewGroup.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
}

/** As [touchable], on whatever is behind it. */
fun Ui.touchableBare(): Drawable = StateListDrawable().apply {
    addState(intArrayOf(android.R.attr.state_pressed), box(R.color.tint, null))
    addState(intArrayOf(android.R.attr.state_focused), box(R.color.ground, R.color.focus))
    addState(intArrayOf(), ColorDrawable(Color.TRANSPARENT))
}
