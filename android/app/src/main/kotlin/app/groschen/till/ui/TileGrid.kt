package app.groschen.till.ui

import android.view.MotionEvent
import android.view.ViewGroup
import app.groschen.till.R
import app.groschen.view.Tile
import kotlin.math.max
import kotlin.math.min

/**
 * The tiles, all of one size, in as many columns as the till has and type lets there be.
 *
 * A tile keeps its view as long as its article is there: only what has changed is drawn anew after a touch.
 */
class TileGrid(private val ui: Ui, private val isBack: Boolean) : ViewGroup(ui.context) {
    private val gap = ui.size(R.dimen.gap)
    private var columns = 1
    private var wanted = 1
    private var cell = 0
    private var measuredFor = -1

    /** Shows tiles in at most so many columns. */
    fun show(tiles: List<Tile>, columns: Int) {
        val articles = tiles.map { it.article }
        if ((0 until childCount).map { (getChildAt(it) as TileView).article } != articles) {
            removeAllViews()
            tiles.forEach { _ -> addView(TileView(ui, isBack)) }
            measuredFor = -1
        }
        if (wanted != columns) {
            wanted = columns
            measuredFor = -1
            requestLayout()
        }
        tiles.forEachIndexed { place, tile -> (getChildAt(place) as TileView).show(tile) }
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val width = MeasureSpec.getSize(widthMeasureSpec)
        columns = columnsAt(width)
        val each = widthOfOne(width)
        if (measuredFor != width) {
            val least = ui.size(R.dimen.tile_height)
            cell = max(least, (0 until childCount).maxOfOrNull { (getChildAt(it) as TileView).heightAt(each) } ?: 0)
            measuredFor = width
        }
        val across = MeasureSpec.makeMeasureSpec(each, MeasureSpec.EXACTLY)
        val down = MeasureSpec.makeMeasureSpec(cell, MeasureSpec.EXACTLY)
        for (place in 0 until childCount) getChildAt(place).measure(across, down)
        val rows = (childCount + columns - 1) / columns
        setMeasuredDimension(width, rows * cell + max(0, rows - 1) * gap)
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        val each = widthOfOne(right - left)
        for (place in 0 until childCount) {
            val x = place % columns * (each + gap)
            val y = place / columns * (cell + gap)
            getChildAt(place).layout(x, y, x + each, y + cell)
        }
    }

    /** Three fingers at once are a palm: what they had begun to press is let go. */
    override fun onInterceptTouchEvent(event: MotionEvent): Boolean = event.pointerCount >= PALM

    private fun columnsAt(width: Int): Int {
        val least = Type.CAPTION.pixels(context) * LETTERS + ui.size(R.dimen.touch)
        val fit = ((width + gap) / (least + gap)).toInt()
        return max(1, min(fit, min(wanted, max(1, childCount))))
    }

    private fun widthOfOne(width: Int): Int = (width - gap * (columns - 1)) / columns

    private companion object {
        /** So many heights of a letter leave room for a syllable beside the minus. */
        const val LETTERS = 5f
        const val PALM = 3
    }
}
