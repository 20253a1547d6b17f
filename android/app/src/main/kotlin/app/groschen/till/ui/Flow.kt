package app.groschen.till.ui

import android.content.Context
import android.view.View
import android.view.ViewGroup
import android.widget.FrameLayout
import app.groschen.till.R
import kotlin.math.max
import kotlin.math.min

/**
 * Puts views of a kind (buttons, presets) beside each other and begins a new line when the next one would not fit. All lines are filled:
 * the views of a line share its width and its height. So a row of buttons becomes a column when type is twice as large, and nothing is cut off.
 */
class Flow(ui: Ui, private val columnsMost: Int = Int.MAX_VALUE) : ViewGroup(ui.context) {
    private val gap = ui.size(R.dimen.gap)
    private var lines = emptyList<Line>()

    /** With these inside. */
    constructor(ui: Ui, inside: List<View>, columnsMost: Int = Int.MAX_VALUE) : this(ui, columnsMost) {
        inside.forEach(::addView)
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val width = MeasureSpec.getSize(widthMeasureSpec)
        lines = broken(shown(), width).map { views -> measured(views, width) }
        val height = lines.sumOf { it.height } + gap * max(0, lines.size - 1)
        setMeasuredDimension(width, height)
    }

    /** Evenly: as many in each line as the widest of all lets there be. */
    private fun broken(views: List<View>, width: Int): List<List<View>> {
        if (views.isEmpty()) return emptyList()
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        views.forEach { it.measure(free, free) }
        val widest = views.maxOf { it.measuredWidth }
        val fit = max(1, (width + gap) / max(1, widest + gap))
        val columns = min(min(fit, columnsMost), views.size)
        val lines = (views.size + columns - 1) / columns
        return views.chunked((views.size + lines - 1) / lines)
    }

    private fun measured(views: List<View>, width: Int): Line {
        val each = (width - gap * (views.size - 1)) / views.size
        val across = MeasureSpec.makeMeasureSpec(each, MeasureSpec.EXACTLY)
        views.forEach { it.measure(across, MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)) }
        val height = views.maxOf { it.measuredHeight }
        views.forEach { it.measure(across, MeasureSpec.makeMeasureSpec(height, MeasureSpec.EXACTLY)) }
        return Line(views, each, height)
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        var y = 0
        for (line in lines) {
            line.views.forEachIndexed { place, view ->
                val x = place * (line.width + gap)
                view.layout(x, y, x + line.width, y + line.height)
            }
            y += line.height + gap
        }
    }

    private fun shown(): List<View> = (0 until childCount).map(::getChildAt).filter { it.visibility != GONE }

    private class Line(val views: List<View>, val width: Int, val height: Int)
}

/** A place for a view that is made anew only when what it shows has changed: what stands still keeps focus, scrolling and the finger on it. */
class Slot(context: Context) : FrameLayout(context) {
    private var shown: Any? = NOTHING

    /** Shows what [build] makes of something; nothing when that is null. */
    fun <K> show(key: K, build: (K) -> View?) {
        if (shown == key) return
        shown = key
        removeAllViews()
        build(key)?.let { addView(it, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.MATCH_PARENT)) }
        visibility = if (childCount == 0) GONE else VISIBLE
    }

    private companion object {
        val NOTHING = Any()
    }
}
