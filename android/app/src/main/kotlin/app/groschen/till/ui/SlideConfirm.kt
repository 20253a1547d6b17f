package app.groschen.till.ui

import android.annotation.SuppressLint
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.graphics.RectF
import android.view.Gravity
import android.view.MotionEvent
import android.widget.Button
import android.widget.FrameLayout
import app.groschen.till.R
import kotlin.math.max
import kotlin.math.min

/**
 * A knob that is slid to the end: for the few things that cannot be undone. Who cannot slide (a glove, TalkBack, a key) presses once and then
 * once more on the words that ask; both ways take two motions, so neither happens by itself.
 */
class SlideConfirm(private val ui: Ui, words: String, private val confirmed: () -> Unit) : FrameLayout(ui.context) {
    private val knob = ui.size(R.dimen.touch).toFloat()
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = ui.colour(R.color.accent) }
    private val arrow = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = ui.colour(R.color.on_accent)
        style = Paint.Style.STROKE
        strokeWidth = ui.size(R.dimen.gap_small).toFloat()
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
    }
    private val asked = ui.text(R.string.slide_confirm, words)
    private val label = ui.label(words, Type.CAPTION).centred().apply {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
        setPadding(knob.toInt() + ui.size(R.dimen.gap), ui.size(R.dimen.gap), ui.size(R.dimen.gap), ui.size(R.dimen.gap))
    }
    private var place = 0f
    private var grip = -1f
    private var isAsking = false

    init {
        setWillNotDraw(false)
        isFocusable = true
        isClickable = true
        minimumHeight = knob.toInt()
        background = ui.touchable(R.color.sheet, R.color.tint, R.color.accent)
        contentDescription = "$words. ${ui.text(R.string.slide_alternative)}"
        addView(label, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT, Gravity.CENTER))
        setOnClickListener { if (isAsking) confirmed() else ask() }
    }

    private fun ask() {
        isAsking = true
        label.text = asked
        contentDescription = asked
    }

    @SuppressLint("ClickableViewAccessibility")
    override fun onTouchEvent(event: MotionEvent): Boolean {
        val end = max(1f, width - knob)
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> if (event.x <= knob * 1.5f) {
                grip = event.x
                parent?.requestDisallowInterceptTouchEvent(true)
                return true
            }
            MotionEvent.ACTION_MOVE -> if (grip >= 0) {
                moveTo(min(end, max(0f, event.x - grip)))
                return true
            }
            MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL -> if (grip >= 0) {
                val isThere = event.actionMasked == MotionEvent.ACTION_UP && place >= end * THERE
                val isStill = event.actionMasked == MotionEvent.ACTION_UP && place < ui.size(R.dimen.gap)
                grip = -1f
                moveTo(0f)
                if (isThere) confirmed() else if (isStill) performClick()
                return true
            }
        }
        return super.onTouchEvent(event)
    }

    private fun moveTo(x: Float) {
        place = x
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val round = ui.size(R.dimen.corner).toFloat()
        val field = RectF(place, 0f, place + knob, height.toFloat())
        canvas.drawRoundRect(field, round, round, fill)
        val path = Path()
        for (start in ARROWS) {
            path.moveTo(field.left + knob * start, height / 2f - knob / 6)
            path.lineTo(field.left + knob * (start + 0.15f), height / 2f)
            path.lineTo(field.left + knob * start, height / 2f + knob / 6)
        }
        canvas.drawPath(path, arrow)
    }

    override fun getAccessibilityClassName(): CharSequence = Button::class.java.name

    private companion object {
        const val THERE = 0.9f
        val ARROWS = floatArrayOf(0.3f, 0.52f)
    }
}
