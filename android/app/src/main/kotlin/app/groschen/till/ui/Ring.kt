package app.groschen.till.ui

import android.annotation.SuppressLint
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import android.view.View

/** How much of something is there: a ring of parts, the done ones filled. What it says stands beside it in words. */
@SuppressLint("ViewConstructor")
class Ring(ui: Ui, private val have: Int, private val of: Int, colour: Int, private val side: Int) : View(ui.context) {
    private val pen = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = colour
        style = Paint.Style.STROKE
    }

    init {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) = setMeasuredDimension(side, side)

    override fun onDraw(canvas: Canvas) {
        val thick = side / 6f
        val field = RectF(thick / 2, thick / 2, side - thick / 2, side - thick / 2)
        val each = 360f / of
        val gap = if (of > 1) GAP else 0f
        for (part in 0 until of) {
            pen.strokeWidth = if (part < have) thick else thick / 4
            canvas.drawArc(field, -90f + part * each + gap / 2, each - gap, false, pen)
        }
    }

    private companion object {
        const val GAP = 10f
    }
}
