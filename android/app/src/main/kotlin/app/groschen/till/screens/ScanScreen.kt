package app.groschen.till.screens

import android.annotation.SuppressLint
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Path
import android.view.View
import android.widget.FrameLayout
import app.groschen.till.R
import app.groschen.till.scan.Scan
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Wish
import app.groschen.till.ui.button
import app.groschen.till.ui.column
import app.groschen.till.ui.dp
import app.groschen.till.ui.label
import app.groschen.till.ui.note
import app.groschen.till.ui.page
import app.groschen.till.ui.row
import app.groschen.till.ui.stretched
import app.groschen.till.ui.title
import app.groschen.till.words.have
import app.groschen.till.words.missing
import app.groschen.view.EvacuationPage
import app.groschen.view.RegisterPage
import app.groschen.view.Registering
import kotlin.math.min

/** The camera is open for a registration code, or for the codes of a series. */
data class ScanPage(val series: EvacuationPage.Taking?, val isWrong: Boolean, val light: Boolean?) {
    companion object {
        /** What was read before the camera was opened is no word on what it reads. */
        fun of(page: RegisterPage, scan: Scan.On) = ScanPage(null, page.state == Registering.NotACode && scan.read > 0, scan.light)

        fun of(page: EvacuationPage.Taking, scan: Scan.On) = ScanPage(page, false, scan.light)
    }
}

/** What the camera sees, with a frame for the code; below it what has come of it. */
class ScanScreen(private val ui: Ui) : Screen<ScanPage> {
    private val title = Slot(ui.context)
    private val state = Slot(ui.context)
    private val light = Slot(ui.context)
    private val finder = Finder(ui, ui.phone.picture(ui.context))

    override val root: View = ui.page(
        ui.column(title, finder, state),
        ui.row(light.stretched(), ui.button(ui.text(R.string.cancel)) { ui.phone.wish(Wish.StopScan) }.stretched()),
    )

    override fun show(page: ScanPage) {
        title.show(page.series != null) { ui.title(ui.text(if (it) R.string.scan_codes else R.string.scan_code)) }
        state.show(page.series to page.isWrong) { (series, isWrong) -> if (series == null) code(isWrong) else progress(series) }
        // A word for what pressing does, not for how it stands: both would be read as the other by somebody.
        light.show(page.light) { isOn ->
            isOn?.let { ui.button(ui.text(if (it) R.string.scan_dark else R.string.scan_light)) { ui.phone.wish(Wish.Light) } }
        }
    }

    private fun code(isWrong: Boolean): View =
        if (isWrong) ui.note(Colours.BAD, ui.text(R.string.register_no_code)) else ui.label(ui.text(R.string.scan_hint), Type.CAPTION)

    private fun progress(series: EvacuationPage.Taking): View = ui.column(
        ui.label(ui.have(series), Type.TITLE).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE },
        ui.missing(series)?.let { ui.label(it, Type.CAPTION) },
        ui.label(ui.text(R.string.scan_hint_series)),
    )
}

/** The camera's picture, as wide as the page (with large type its words need the room below), with the corners of where a code belongs: white with a dark edge, to be seen on any picture. */
@SuppressLint("ViewConstructor")
private class Finder(ui: Ui, picture: View) : FrameLayout(ui.context) {
    private val pen = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
    }
    private val thick = ui.size(R.dimen.gap_small).toFloat()
    private val tallest = ui.context.dp(if (ui.largeType) TALLEST_DP / 2 else TALLEST_DP)

    init {
        addView(picture, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.MATCH_PARENT))
        setBackgroundColor(Color.BLACK)
        contentDescription = ui.text(R.string.scan_picture_says)
        isFocusable = true
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val height = min(MeasureSpec.getSize(widthMeasureSpec), tallest)
        super.onMeasure(widthMeasureSpec, MeasureSpec.makeMeasureSpec(height, MeasureSpec.EXACTLY))
    }

    override fun dispatchDraw(canvas: Canvas) {
        super.dispatchDraw(canvas)
        val side = min(width, height) * SHARE
        val corners = corners((width - side) / 2, (height - side) / 2, side)
        pen.color = Color.BLACK
        pen.strokeWidth = 2 * thick
        canvas.drawPath(corners, pen)
        pen.color = Color.WHITE
        pen.strokeWidth = thick
        canvas.drawPath(corners, pen)
    }

    private fun corners(left: Float, top: Float, side: Float) = Path().apply {
        val arm = side * ARM
        for ((x, inX) in listOf(left to arm, left + side to -arm)) for ((y, inY) in listOf(top to arm, top + side to -arm)) {
            moveTo(x + inX, y)
            lineTo(x, y)
            lineTo(x, y + inY)
        }
    }

    private companion object {
        const val TALLEST_DP = 380f
        const val SHARE = 0.8f
        const val ARM = 0.2f
    }
}
