package app.groschen.till.scan

import com.google.zxing.EncodeHintType
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel
import com.google.zxing.qrcode.encoder.Encoder
import java.util.Random
import kotlin.math.cos
import kotlin.math.floor
import kotlin.math.sin

/** Pictures as a camera takes them of a screen with a code, with what spoils them. */
data class Frame(
    val text: String?,
    val width: Int = 960,
    val height: Int = 540,
    /** The side of the code with its quiet zone, of the picture's height. */
    val size: Double = 0.6,
    val degrees: Double = 0.0,
    /** How far the code is off the middle, of the picture's height. */
    val off: Double = 0.0,
    val padding: Int = 0,
    val black: Int = 30,
    val white: Int = 220,
    /** Of the brightness, standard deviation. */
    val noise: Double = 0.0,
    /** How many pixels run into each other. */
    val blur: Int = 0,
    /** A lamp's reflection: how much brighter its middle is. */
    val glare: Int = 0,
    /** Whether the camera leaves the last row's padding out. */
    val endsShort: Boolean = false,
) {
    fun take(): Luminance {
        val code = text?.let { Encoder.encode(it, ErrorCorrectionLevel.M, mapOf(EncodeHintType.CHARACTER_SET to "UTF-8")).matrix }
        val bright = Array(height) { y -> DoubleArray(width) { x -> if (code == null) surroundings(x, y) else brightness(x, y, code.width) { i, j -> code.get(i, j).toInt() == 1 } } }
        val seen = if (blur > 0) blurred(bright) else bright
        val chance = Random(7)
        val stride = width + padding
        val bytes = ByteArray(stride * height - if (endsShort) padding else 0) { PADDING }
        for (y in 0 until height) for (x in 0 until width) {
            val value = seen[y][x] + noise * chance.nextGaussian() + shine(x, y)
            bytes[y * stride + x] = value.coerceIn(0.0, 255.0).toInt().toByte()
        }
        return Luminance(bytes, width, height, stride)
    }

    private fun brightness(x: Int, y: Int, modules: Int, isBlack: (Int, Int) -> Boolean): Double {
        val side = size * height
        val module = side / (modules + 2 * QUIET)
        val turn = Math.toRadians(degrees)
        val (right, down) = x - width / 2.0 - off * height to y - height / 2.0
        val i = floor((right * cos(turn) + down * sin(turn) + side / 2) / module).toInt() - QUIET
        val j = floor((-right * sin(turn) + down * cos(turn) + side / 2) / module).toInt() - QUIET
        return when {
            i < -QUIET || j < -QUIET || i >= modules + QUIET || j >= modules + QUIET -> surroundings(x, y)
            i in 0 until modules && j in 0 until modules && isBlack(i, j) -> black.toDouble()
            else -> white.toDouble()
        }
    }

    /** A bar at night: dark, with edges. */
    private fun surroundings(x: Int, y: Int): Double = black + ((x / 37 + y / 53) % 5) * (white - black) / 8.0

    private fun shine(x: Int, y: Int): Double {
        val (right, down) = (x - width * 0.45) / (height * 0.25) to (y - height * 0.45) / (height * 0.25)
        return glare * Math.exp(-(right * right + down * down))
    }

    private fun blurred(sharp: Array<DoubleArray>): Array<DoubleArray> {
        fun around(at: Int, most: Int) = maxOf(0, at - blur)..minOf(most - 1, at + blur)
        val across = Array(height) { y -> DoubleArray(width) { x -> around(x, width).sumOf { sharp[y][it] } / around(x, width).count() } }
        return Array(height) { y -> DoubleArray(width) { x -> around(y, height).sumOf { across[it][x] } / around(y, height).count() } }
    }

    companion object {
        const val QUIET = 4
        private const val PADDING: Byte = 0x55

        /** As long as a code of the console, in its alphabet. */
        val REGISTRATION = "GROSCHEN:1:" + (0 until 240).joinToString("") { "0123456789ABCDEF"[it * 7 % 16].toString() }

        /** A part of a series, as long as the largest: `GRS1` and 372 bytes in Base45. */
        fun part(number: Int): String {
            val chance = Random(number.toLong())
            return "GRS1" + (1..558).map { "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"[chance.nextInt(45)] }.joinToString("")
        }
    }
}
