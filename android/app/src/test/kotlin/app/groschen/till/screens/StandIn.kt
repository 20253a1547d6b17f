package app.groschen.till.screens

import android.content.Context
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.view.View
import app.groschen.till.scan.Frame
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel
import com.google.zxing.qrcode.encoder.Encoder
import kotlin.math.min

/** In the place of the camera's picture, which no test has: a drawn phone with a code, and the word that it is drawn. */
class StandIn(context: Context) : View(context) {
    private val code = Encoder.encode(Frame.part(1).take(200), ErrorCorrectionLevel.M).matrix

    override fun onDraw(canvas: Canvas) {
        val pen = Paint(Paint.ANTI_ALIAS_FLAG)
        canvas.drawColor(0xFF4A5258.toInt())
        val side = min(width, height) * 0.5f
        canvas.save()
        canvas.rotate(-6f, width / 2f, height / 2f)
        pen.color = 0xFF15181A.toInt()
        canvas.drawRoundRect(width / 2f - side * 0.62f, height / 2f - side * 0.9f, width / 2f + side * 0.62f, height / 2f + side * 0.9f, 20f, 20f, pen)
        pen.color = Color.WHITE
        canvas.drawRect(width / 2f - side / 2, height / 2f - side / 2, width / 2f + side / 2, height / 2f + side / 2, pen)
        pen.color = Color.BLACK
        val module = side / (code.width + 2 * Frame.QUIET)
        val (left, top) = width / 2f - side / 2 to height / 2f - side / 2
        for (y in 0 until code.height) for (x in 0 until code.width) {
            if (code.get(x, y).toInt() != 1) continue
            val (at, down) = left + (x + Frame.QUIET) * module to top + (y + Frame.QUIET) * module
            canvas.drawRect(at, down, at + module, down + module, pen)
        }
        canvas.restore()
        pen.color = Color.YELLOW
        pen.textSize = 15f
        pen.textAlign = Paint.Align.CENTER
        canvas.drawText("gezeichnet, kein Kamerabild – drawn, no camera picture", width / 2f, 14f, pen)
    }
}
