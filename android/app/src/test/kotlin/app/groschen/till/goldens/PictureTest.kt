package app.groschen.till.goldens

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class PictureTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `a picture of few colours is read back as it was`() {
        val picture = Picture(3, 2, intArrayOf(WHITE, WHITE, BLACK, GREEN, WHITE, BLACK))
        val file = folder.root.resolve("few.png")
        picture.write(file)
        assertArrayEquals(picture.pixels, Picture.read(file).pixels)
    }

    @Test
    fun `a picture of many colours keeps the frequent ones and comes near the others`() {
        val picture = Picture(1000, 2, IntArray(2000) { if (it < 1000) GREEN else WHITE - (it % 300) / 2 * 0x10101 })
        val file = folder.root.resolve("many.png")
        picture.write(file)
        val back = Picture.read(file)
        assertEquals(GREEN, back.pixels[0])
        assertEquals(emptyList<Int>(), picture.differences(back))
    }

    @Test
    fun `a rare colour that the palette has no room for is no difference`() {
        val yellows = IntArray(2 * 256) { WHITE - it / 2 }
        val picture = Picture(yellows.size + 1, 1, yellows + GREEN)
        val file = folder.root.resolve("rare.png")
        picture.write(file)
        val back = Picture.read(file)
        assertEquals(emptyList<Int>(), picture.differences(back))
        val changed = Picture(yellows.size + 1, 1, yellows.clone().apply { this[0] = this[300] } + GREEN)
        assertEquals(listOf(0), changed.differences(back))
    }

    @Test
    fun `one changed pixel is a difference and rounding is none`() {
        val picture = Picture(2, 2, intArrayOf(WHITE, BLACK, GREEN, WHITE))
        val rounded = Picture(2, 2, intArrayOf(WHITE - 0x020202, BLACK + 0x010101, GREEN, WHITE))
        val changed = Picture(2, 2, intArrayOf(WHITE, BLACK, BLACK, WHITE))
        assertEquals(emptyList<Int>(), picture.differences(rounded))
        assertEquals(listOf(2), picture.differences(changed))
    }

    private companion object {
        const val WHITE = 0xFFFFFFFF.toInt()
        const val BLACK = 0xFF000000.toInt()
        const val GREEN = 0xFF0B6B2B.toInt()
    }
}
