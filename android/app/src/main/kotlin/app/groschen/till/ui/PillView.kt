package app.groschen.till.ui

import android.graphics.Typeface
import android.graphics.drawable.GradientDrawable
import android.view.Gravity
import android.widget.FrameLayout
import android.widget.TextView
import app.groschen.till.R
import app.groschen.till.words.pill
import app.groschen.view.Pill
import app.groschen.view.PillState
import app.groschen.view.Place
import app.groschen.view.Touch

/**
 * How phone and server stand: a sign, words and a number, on every page at the same place, never a colour alone. Amber and not red while
 * selling goes on.
 */
class PillView(private val ui: Ui) : FrameLayout(ui.context) {
    private val text: TextView = ui.label("", Type.BODY).centred().apply {
        typeface = Typeface.create("sans-serif-medium", Typeface.NORMAL)
        padded(R.dimen.gap_large, R.dimen.gap)
        // Long words take a second line: the till's name beside them stays, and so do the tiles below.
        if (!ui.largeType) maxWidth = (resources.displayMetrics.widthPixels * SHARE).toInt()
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }
    private var shown: Pair<Pill, Long>? = null

    init {
        id = R.id.pill
        isFocusable = true
        minimumHeight = ui.size(R.dimen.touch)
        minimumWidth = ui.size(R.dimen.touch)
        // As wide as its words beside the till's name, as wide as the screen below it.
        val wide = if (ui.largeType) LayoutParams.MATCH_PARENT else LayoutParams.WRAP_CONTENT
        addView(text, LayoutParams(wide, LayoutParams.WRAP_CONTENT, Gravity.CENTER))
        setOnClickListener { ui.touch(Touch.Open(Place.SYNC)) }
        accessibilityLiveRegion = ACCESSIBILITY_LIVE_REGION_NONE
    }

    /** Shows the state at a moment. */
    fun show(pill: Pill, nowMs: Long) {
        if (shown == pill to nowMs) return
        shown = pill to nowMs
        val words = ui.pill(pill, nowMs)
        text.text = "${signOf(pill.state)} $words"
        val (fill, ink, line) = coloursOf(pill.state)
        text.background = GradientDrawable().apply {
            setColor(ui.colour(fill))
            cornerRadius = ui.size(R.dimen.touch).toFloat()
            setStroke(ui.size(R.dimen.hairline), ui.colour(line))
        }
        text.setTextColor(ui.colour(ink))
        contentDescription = ui.text(R.string.pill_says, words)
    }

    private companion object {
        const val SHARE = 0.55f
    }

    private fun signOf(state: PillState): String = when (state) {
        PillState.ONLINE -> "\u2713"
        PillState.SENDING -> "\u2191"
        PillState.OFFLINE -> "\u25cf"
        PillState.STOPPED -> "\u2715"
        PillState.ATTENTION, PillState.REPLACED, PillState.WRONG_VERSION, PillState.UNKNOWN -> "\u25b2"
    }

    private fun coloursOf(state: PillState): Triple<Int, Int, Int> = when (state) {
        PillState.ONLINE, PillState.SENDING -> Triple(R.color.sheet, R.color.ink, R.color.quiet)
        PillState.OFFLINE -> Triple(R.color.again, R.color.on_again, R.color.on_again)
        PillState.STOPPED -> Triple(R.color.bad, R.color.on_bad, R.color.on_bad)
        PillState.ATTENTION, PillState.REPLACED, PillState.WRONG_VERSION, PillState.UNKNOWN -> Triple(R.color.late, R.color.on_late, R.color.on_late)
    }
}
