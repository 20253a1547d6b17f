package app.groschen.till.goldens

import java.awt.image.BufferedImage
import java.awt.image.DataBuffer
import java.awt.image.IndexColorModel
import java.io.File
import javax.imageio.ImageIO

/** Opaque pixels with the files they come from and go to. Knows nothing of Android. */
class Picture(val width: Int, val height: Int, val pixels: IntArray) {
    // The colours that a file has: a screen has fewer but for the edges of its letters and boxes.
    private val palette: IntArray by lazy {
        val counts = HashMap<Int, Int>()
        for (colour in pixels) counts.merge(colour, 1, Int::plus)
        counts.entries.sortedWith(compareBy({ -it.value }, { it.key })).take(PALETTE).map { it.key }.toIntArray()
    }

    // For each pixel the place of its nearest colour in the palette.
    private val places: IntArray by lazy {
        val nearest = HashMap<Int, Int>()
        IntArray(pixels.size) { i -> nearest.getOrPut(pixels[i]) { palette.indices.minBy { distance(palette[it], pixels[i]) } } }
    }

    /** Writes a PNG of at most 256 colours, a third of one of all colours. */
    fun write(file: File) {
        val model = IndexColorModel(8, palette.size, palette, 0, false, -1, DataBuffer.TYPE_BYTE)
        val image = BufferedImage(width, height, BufferedImage.TYPE_BYTE_INDEXED, model)
        image.raster.setSamples(0, 0, width, height, 0, places)
        file.parentFile.mkdirs()
        ImageIO.write(image, "png", file)
    }

    /**
     * Where this picture is not the one that was written, beyond another processor's rounding. What was written in as many colours as a file can have lacks
     * the rare ones: there a place is the same if its colour is as near as any that the file has.
     */
    fun differences(written: Picture): List<Int> {
        require(width == written.width && height == written.height) { "the sizes differ" }
        val isReduced = written.palette.size == PALETTE
        return pixels.indices.filter { i ->
            val off = distance(pixels[i], written.pixels[i])
            off > TOLERANCE && !(isReduced && off <= written.palette.minOf { distance(it, pixels[i]) } + TOLERANCE)
        }
    }

    /** This picture, pale, with [places] in red. */
    fun marked(places: List<Int>): Picture {
        val pale = pixels.copyOf()
        for (i in pale.indices) pale[i] = pale[i] shr 2 and 0x3F3F3F or 0xFFC0C0C0.toInt()
        for (place in places) pale[place] = RED
        return Picture(width, height, pale)
    }

    companion object {
        private const val PALETTE = 256
        private const val TOLERANCE = 24
        private const val RED = 0xFFE00000.toInt()

        fun read(file: File): Picture {
            val image = ImageIO.read(file)
            return Picture(image.width, image.height, image.getRGB(0, 0, image.width, image.height, null, 0, image.width))
        }

        /** The largest difference of one channel. */
        internal fun distance(a: Int, b: Int): Int =
            maxOf(channel(a, b, 16), channel(a, b, 8), channel(a, b, 0))

        private fun channel(a: Int, b: Int, shift: Int): Int = Math.abs((a shr shift and 0xFF) - (b shr shift and 0xFF))
    }
}
