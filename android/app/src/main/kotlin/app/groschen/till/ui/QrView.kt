package app.groschen.till.ui

import android.annotation.SuppressLint
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.view.View
import app.groschen.till.R
import com.google.zxing.EncodeHintType
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel
import com.google.zxing.qrcode.encoder.Encoder
import kotlin.math.min

/**
 * A QR code: always black on white with its quiet zone, because many phones cannot read it the other way round, night or not. What is [long] has the
 * lowest level of correction: a display has no dirt and no creases, and fewer modules are larger ones.
 */
@SuppressLint("ViewConstructor")
class QrView(ui: Ui, text: String, what: String, long: Boolean = false) : View(ui.context) {
    private val level = if (long) ErrorCorrectionLevel.L else ErrorCorrectionLevel.M
    private val code = Encoder.encode(text, level, mapOf(EncodeHintType.CHARACTER_SET to "UTF-8")).matrix
    private val modules = code.width + 2 * QUIET
    private val ink = Paint()

    init {
        contentDescription = ui.text(R.string.qr_says, what)
        isFocusable = true
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val room = MeasureSpec.getSize(widthMeasureSpec)
        val down = MeasureSpec.getSize(heightMeasureSpec)
        val side = if (MeasureSpec.getMode(heightMeasureSpec) == MeasureSpec.UNSPECIFIED) room else min(room, down)
        // What whole modules do not fill is left to the words around it.
        setMeasuredDimension(room, min(side, context.dp(LARGEST_DP)) / modules * modules)
    }

    /** A module's side. Whole pixels: blurred edges are read worse than a smaller code. */
    val modulePixels: Int
        get() = min(width, height) / modules

    override fun onDraw(canvas: Canvas) {
        val module = modulePixels
        val side = module * modules
        // Half a pixel would blur every edge and draw seams between dark modules.
        val (left, top) = (width - side) / 2 to (height - side) / 2
        canvas.fill(left, top, side, Color.WHITE)
        for (y in 0 until code.height) for (x in 0 until code.width) {
            if (code.get(x, y).toInt() == 1) canvas.fill(left + (x + QUIET) * module, top + (y + QUIET) * module, module, Color.BLACK)
        }
    }

    private fun Canvas.fill(left: Int, top: Int, side: Int, colour: Int) {
        ink.color = colour
        drawRect(left.toFloat(), top.toFloat(), (left + side).toFloat(), (top + side).toFloat(), ink)
    }

    private companion object {
        const val QUIET = 4
        const val LARGEST_DP = 420f
    }
}
