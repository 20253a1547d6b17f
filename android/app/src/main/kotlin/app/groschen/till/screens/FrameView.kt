package app.groschen.till.screens

import android.text.TextUtils
import android.view.Gravity
import android.view.View
import android.widget.LinearLayout
import android.widget.TextView
import app.groschen.till.R
import app.groschen.till.ui.PillView
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.button
import app.groschen.till.ui.label
import app.groschen.till.ui.row
import app.groschen.till.ui.stretched
import app.groschen.till.ui.touchableBare
import app.groschen.till.words.alarm
import app.groschen.view.Frame
import app.groschen.view.Place
import app.groschen.view.Touch

/** What is above every page: the way back or home, the till and who sells, the pill; below it what is wrong with the device. */
class FrameView(private val ui: Ui) : LinearLayout(ui.context) {
    private val training = Slot(ui.context)
    private val where = Slot(ui.context)
    private val pill = PillView(ui)
    private val alarms = Slot(ui.context)

    init {
        orientation = VERTICAL
        val beside = ui.size(R.dimen.gap)
        addView(training, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT))
        val top = if (ui.largeType) {
            LinearLayout(ui.context).apply { orientation = VERTICAL }.also {
                it.addView(where, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT))
                it.addView(pill, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT))
            }
        } else {
            ui.row(where.stretched(), pill)
        }
        top.setPadding(beside, 0, beside, 0)
        addView(top, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT))
        addView(alarms, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT))
    }

    /** Shows what is around the page; [atHome] where the way home would lead nowhere. */
    fun show(frame: Frame, atHome: Boolean) {
        training.show(frame.training) { if (it) banner() else null }
        where.show(listOf(frame.till, frame.event, frame.cashier, frame.canGoBack, atHome)) { place(frame, atHome) }
        pill.show(frame.pill, frame.nowMs)
        alarms.show(frame.alarms to frame.carried) { strip(frame) }
    }

    private fun place(frame: Frame, atHome: Boolean): View {
        val name = frame.till ?: frame.event ?: ui.text(R.string.app_name)
        val cashier = frame.cashier
        val words = if (ui.largeType) {
            // One line: with large type every line is one tile less.
            ui.label(if (cashier == null) name else ui.text(R.string.two_parts, name, cashier), Type.CAPTION).oneLine()
        } else {
            LinearLayout(ui.context).apply {
                orientation = VERTICAL
                addView(ui.label(name, Type.CAPTION).oneLine())
                cashier?.let { addView(ui.label(it, Type.SMALL).oneLine()) }
            }
        }
        val way = when {
            frame.canGoBack -> way("\u2190", ui.text(R.string.back)) { ui.touch(Touch.Back) }
            !atHome && frame.cashier != null -> way("\u2261", ui.text(R.string.menu)) { ui.touch(Touch.Open(Place.HOME)) }
            else -> null
        }
        return ui.row(way, words.stretched()).apply { minimumHeight = ui.size(R.dimen.touch) }
    }

    private fun way(sign: String, says: String, act: () -> Unit): View = ui.button(sign, act = act).apply {
        Type.HEADLINE.on(this)
        background = ui.touchableBare()
        contentDescription = says
        setPadding(0, 0, 0, 0)
    }

    private fun <T : TextView> T.oneLine(): T = apply {
        maxLines = 1
        ellipsize = TextUtils.TruncateAt.END
    }

    private fun banner(): View = ui.label(ui.text(R.string.training_banner), Type.CAPTION, R.color.on_training).apply {
        gravity = Gravity.CENTER
        setBackgroundColor(ui.colour(R.color.training))
        val room = ui.size(R.dimen.gap_small)
        setPadding(room, room, room, room)
    }

    /** The worst first, and that there are more; a phone with many alarms must still sell. */
    private fun strip(frame: Frame): View? {
        val worst = frame.alarms.firstOrNull()?.let(ui::alarm)
        if (worst == null) {
            if (frame.carried <= 0) return null
            return bar(ui.text(R.string.carried, ui.figures.count(frame.carried.toLong())), null, R.color.tint, R.color.ink)
        }
        val more = frame.alarms.size - 1
        val what = if (more > 0) ui.text(R.string.alarms_more, worst.what, more) else worst.what
        return bar(what, worst.now, R.color.again, R.color.on_again)
    }

    private fun bar(what: String, now: String?, ground: Int, ink: Int): View = LinearLayout(ui.context).apply {
        orientation = VERTICAL
        setBackgroundColor(ui.colour(ground))
        val (beside, above) = ui.size(R.dimen.gap_large) to ui.size(R.dimen.gap_small)
        setPadding(beside, above, beside, above)
        addView(ui.label(what, Type.CAPTION, ink))
        now?.let { addView(ui.label(it, Type.SMALL, ink)) }
        accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
    }
}
