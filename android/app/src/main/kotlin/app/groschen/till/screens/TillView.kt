package app.groschen.till.screens

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.FrameLayout
import android.widget.LinearLayout
import app.groschen.till.R
import app.groschen.till.ui.Beside
import app.groschen.till.ui.PhoneSide
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.seenBy
import app.groschen.view.Language
import app.groschen.view.Page
import app.groschen.view.Theme
import app.groschen.view.Touch
import java.util.Locale
import app.groschen.view.View as CoreView

/**
 * The whole window: draws the view that the core sends and sends back what is touched.
 *
 * What stays the same from one view to the next stays on the screen as it is, so that a touch costs little and neither focus nor scrolling is
 * lost; another language, theme or zone builds everything anew.
 */
class TillView(context: Context, private val phone: PhoneSide = PhoneSide(), private val touch: (Touch) -> Unit) : FrameLayout(context) {
    private var look: Look? = null
    private var ui = Ui(context, "UTC", phone, touch)
    private var frame = FrameView(ui)
    private var notice = NoticeView(ui)
    private var pages = Pages(ui, FrameLayout(context))
    private var training = false

    init {
        setWillNotDraw(false)
    }

    /** Shows this view, with what the phone itself does for its page; the one before is of no more use. */
    fun show(view: CoreView, beside: Beside = Beside()) {
        val wanted = Look(view.frame.language, view.frame.theme, view.frame.timeZone)
        if (wanted != look) build(wanted)
        val atHome = view.page is Page.Home || view.page is Page.Login || view.page is Page.Register
        frame.show(view.frame, atHome)
        pages.show(view.page, beside)
        notice.show(view.notice, view.page)
        if (training != view.frame.training) {
            training = view.frame.training
            invalidate()
        }
        keepScreenOn = view.frame.stayOn
    }

    private fun build(wanted: Look) {
        look = wanted
        val language = if (wanted.language == Language.GERMAN) Locale.GERMAN else Locale.ENGLISH
        ui = Ui(context.seenBy(language, wanted.theme == Theme.NIGHT), wanted.zone, phone, touch)
        frame = FrameView(ui)
        notice = NoticeView(ui)
        val body = FrameLayout(ui.context)
        pages = Pages(ui, body)
        removeAllViews()
        setBackgroundColor(ui.colour(R.color.ground))
        val column = LinearLayout(ui.context).apply {
            orientation = LinearLayout.VERTICAL
            addView(frame, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
            addView(body, LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
        }
        addView(column, LayoutParams(MATCH_PARENT, MATCH_PARENT))
        addView(notice, LayoutParams(MATCH_PARENT, MATCH_PARENT))
    }

    /** In training nothing is real, and every picture of the screen says so. */
    override fun dispatchDraw(canvas: Canvas) {
        super.dispatchDraw(canvas)
        if (!training) return
        val pen = Paint(Paint.ANTI_ALIAS_FLAG).apply {
            color = ui.colour(R.color.training)
            style = Paint.Style.STROKE
            strokeWidth = 2f * ui.size(R.dimen.frame)
        }
        canvas.drawRect(0f, 0f, width.toFloat(), height.toFloat(), pen)
        val letters = Paint(Paint.ANTI_ALIAS_FLAG).apply {
            color = ui.colour(R.color.watermark)
            textSize = Type.TOTAL.pixels(ui.context)
            textAlign = Paint.Align.CENTER
            isFakeBoldText = true
        }
        val word = ui.text(R.string.training)
        for (third in 1..3) {
            val y = height * third / 4f
            canvas.save()
            canvas.rotate(-20f, width / 2f, y)
            canvas.drawText(word, width / 2f, y, letters)
            canvas.restore()
        }
    }

    private data class Look(val language: Language, val theme: Theme, val zone: String)
}
