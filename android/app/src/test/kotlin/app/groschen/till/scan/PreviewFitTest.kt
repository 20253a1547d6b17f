package app.groschen.till.scan

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import kotlin.math.abs
import kotlin.math.cos
import kotlin.math.sin

class PreviewFitTest {
    @Test
    fun `the picture fills the field upright and unsqueezed, however phone and sensor are turned`() {
        for (field in listOf(Area(1080, 1080), Area(1080, 600), Area(600, 1080))) for (sensor in listOf(0, 90, 180, 270)) for (display in listOf(0, 90, 180, 270)) {
            val fit = PreviewFit.of(field, PICTURE, sensor, display)
            val name = "$field, sensor $sensor, display $display: $fit"
            // What the view has squeezed into the field, in the phone's own upright.
            val upright = if (sensor % 180 == 0) PICTURE else PICTURE.turned()
            val perPixel = fit.across * field.width / upright.width
            assertEquals(name, perPixel, fit.down * field.height / upright.height, 0.001f)
            // Turned back by as much as the display is turned.
            assertEquals(name, 0, Math.floorMod(fit.degrees.toInt() + display, 360))
            val turn = Math.toRadians(fit.degrees.toDouble())
            val (w, h) = upright.width * perPixel to upright.height * perPixel
            val wide = abs(w * cos(turn)) + abs(h * sin(turn))
            val high = abs(w * sin(turn)) + abs(h * cos(turn))
            assertEquals("$name covers", true, wide >= field.width - 1 && high >= field.height - 1)
            assertEquals("$name is no larger than it must be", true, wide <= field.width + 1 || high <= field.height + 1)
        }
    }

    @Test
    fun `a camera is asked for pictures that are large enough and read quickly`() {
        val many = listOf(Area(4000, 3000), Area(1920, 1080), Area(1280, 720), Area(640, 480), Area(320, 240))
        assertEquals(Area(1280, 720), Area.forScanning(many))
        assertEquals(Area(640, 480), Area.forScanning(many - Area(1280, 720)))
        assertEquals(Area(1920, 1080), Area.forScanning(many.take(2)))
        assertNull(Area.forScanning(emptyList()))
    }

    private companion object {
        val PICTURE = Area(1280, 720)
    }
}
