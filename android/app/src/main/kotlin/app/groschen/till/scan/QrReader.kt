package app.groschen.till.scan

import com.google.zxing.BinaryBitmap
import com.google.zxing.Binarizer
import com.google.zxing.DecodeHintType
import com.google.zxing.PlanarYUVLuminanceSource
import com.google.zxing.ReaderException
import com.google.zxing.common.GlobalHistogramBinarizer
import com.google.zxing.common.HybridBinarizer
import com.google.zxing.qrcode.QRCodeReader

/** How bright a picture is, one byte a pixel, row by row; from one row to the next it is [stride] bytes, of which the first [width] are of the picture. */
class Luminance(val bytes: ByteArray, val width: Int, val height: Int, val stride: Int) {
    /** Cameras leave the padding of the last row out. */
    val isWhole: Boolean
        get() = width > 0 && height > 0 && stride >= width && bytes.size >= stride.toLong() * (height - 1) + width
}

/** Reads a QR code off a picture, whichever way up it is. Knows nothing of Android, of cameras, nor of what a code may mean. */
object QrReader {
    private val hints = mapOf(DecodeHintType.TRY_HARDER to true, DecodeHintType.CHARACTER_SET to "UTF-8")

    /** The text of the code, or null. */
    fun read(picture: Luminance): String? {
        if (!picture.isWhole) return null
        val source = with(picture) { PlanarYUVLuminanceSource(bytes, stride, height, 0, 0, width, height, false) }
        // The first one copes with glare and shadow, the second with noise in the dark: each reads pictures that the other does not.
        return decode(HybridBinarizer(source)) ?: decode(GlobalHistogramBinarizer(source))
    }

    private fun decode(black: Binarizer): String? = try {
        QRCodeReader().decode(BinaryBitmap(black), hints).text
    } catch (_: ReaderException) {
        null
    } catch (_: IllegalArgumentException) {
        // What looks like a code and is none may make the decoder compute out of its tables; the next picture comes in a moment.
        null
    } catch (_: IndexOutOfBoundsException) {
        null
    }
}
